use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn masked(text: &str) -> String {
    mask(text).map_or_else(|| text.to_owned(), |masked| masked.text)
}

#[rstest]
#[case("a: {{ .é }}\nb: 1\n", "a: $$$$$$$$\nb: 1\n")]
#[case("a: {{ .Values.x }}g # {{x}}\n", "a: $$$$$$$$$$$$$$$g # $$$$$\n")]
#[case("{{- if .x }}\na: 1\n  {{- end }}\n", "            \na: 1\n            \n")]
#[case("a: 1 {{/* no */}}\n", "a: 1             \n")]
#[case("{{ $k }}: {{ $v }}\n", "$$$$$$$1: $$$$$$$$\n")]
#[case("# {{ if }}\na: 1\n", "# {{ if }}\na: 1\n")]
#[case("a: {b: {c: 1}}\n", "a: {b: {c: 1}}\n")]
#[case("a: {{ \"}}\" }}\n", "a: $$$$$$$$$$\n")]
#[case("a: {{ x\n  | y }}\nb: 1\n", "a: $$$$\n        \nb: 1\n")]
#[case(
    "{%- if x %}\na: {{ y }}\n{% else %}\na: 2\n{% endif %}\n",
    "           \na: $$$$$$$\n          \n    \n           \n"
)]
#[case("a: {# no #}1 {{ x }}\n", "a:         1 $$$$$$$\n")]
#[case("a: ${#b[@]} {{ x #}\n", "a: ${#b[@]} {{ x #}\n")]
#[case("a: {{ x\n", "a: {{ x\n")]
#[case("a: {{}} {{`\n", "a: {{}} {{`\n")]
fn actions_are_masked_where_they_stand(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(masked(text), expected);
}

#[rstest]
#[case("a: {{ .x }}\n", false)]
#[case("{{- if .x }}\na: 1\n{{- end }}\n", false)]
#[case("{{- $x := 1 }}\n{{- if .x }}\n{{ with .y }}\na: 1\n{{ end }}\n{{- end }}\n", false)]
#[case("{{- if .x }}\na: 1\n{{- else }}\na: 2\n{{- end }}\n", true)]
#[case("{{- if .x }}\na: 1\n{{- end }}\nb: 1\n", true)]
#[case("a: 1\n{{- range .x }}\n{{ . }}: 1\n{{- end }}\n", true)]
#[case("{{- range .x }}\na: 1\n{{- end }}\n", true)]
#[case("a: 1\n{{ toYaml .x }}\n", true)]
#[case("{% include 'x' %}\n", true)]
#[case("{% set x = 1 %}\na: {{ x }}\n", false)]
#[case("metadata:\n  labels:\n    {{- include \"l\" . | nindent 4 }}\nspec:\n  a: 1\n", false)]
#[case("metadata:\n  labels: {{- include \"l\" . | nindent 4 }}\nspec:\n  a: 1\n", false)]
#[case("spec:\n  flinkConfiguration: {{- toYaml .x | nindent 4 }}\n", true)]
#[case("spec:\n  flinkConfiguration:\n{{ toYaml .x | indent 4 }}\n", true)]
#[case("spec:\n  name: {{ include \"l\" . }}\n", false)]
#[case("spec:\n  {{- with .x }}\n  nodeSelector:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n", false)]
#[case("spec:\n  {{- with .x }}\n  nodeSelector:\n    a: b\n  memory: 4g\n  {{- end }}\n", true)]
#[case("spec:\n  {{- with .x }}\n  {{- toYaml . | nindent 2 }}\n  {{- end }}\n", true)]
#[case("a: {{ if .x }}1{{ else }}2{{ end }}\n", false)]
fn lines_that_bring_settings_leave_the_text_open(#[case] text: &str, #[case] open: bool) {
    assert_eq!(mask(text).unwrap().open, open, "{}", masked(text));
}

#[test]
fn the_first_branch_stays_and_the_others_go() {
    let text = "{{ if a }}\nx: 1\n{{ else if b }}\nx: 2\n{{ if c }}\ny: 2\n{{ end }}\n{{ else }}\nx: {{ z }}\n{{ end }}\nz: 1\n";
    let lines: Vec<String> = masked(text).lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    assert_eq!(lines, ["x: 1", "z: 1"]);
}

#[test]
fn what_says_that_a_file_is_a_template_says_nothing_about_its_kind() {
    assert_eq!(rendered_name("flink-conf.yaml.tpl"), "flink-conf.yaml");
    assert_eq!(rendered_name("config.yaml"), "config.yaml");
}

#[test]
fn a_large_text_is_masked_in_no_time() {
    for piece in
        ["{{\"", "{{ if x }}", "{{ end }}\n", "{{ x }}", "{{`", "a: {{ toYaml x }}\n", "{{ else }}\n", "{% if %}\n"]
    {
        let count = 1_000_000 / piece.len();
        assert!(mask(&piece.repeat(count)).is_none_or(|masked| masked.text.len() == piece.len() * count));
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_lines_and_columns_stay(text in "(\\{\\{|\\}\\}|\\{%|%\\}|\\{#|#\\}|[-a-c:\\n\\r \"`é$]| if | else | end | endif | range |/\\*){0,30}") {
        if let Some(masked) = mask(&text) {
            let shape = |text: &str| text.split('\n').map(|line| line.chars().count()).collect::<Vec<_>>();
            prop_assert_eq!(shape(&masked.text), shape(&text));
        }
    }
}
