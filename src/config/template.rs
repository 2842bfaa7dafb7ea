//! Templates of Helm, Jinja and Ansible, read without being rendered: what they will replace is masked, so that every other
//! letter stays where it is.
//!
//! `{{ … }}` becomes as many dollars as it has characters ([`super::is_placeholder`] knows them), a line with nothing but
//! actions becomes blank, a comment vanishes. Of an `if` with an `else` the first branch stays. What lines bring in that
//! nobody sees here makes the text *open*: its settings can be judged one by one, its sums cannot.

use super::is_placeholder;

/// What to do with a text that is a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Templates {
    /// It has to be rendered first.
    #[default]
    Refused,
    /// Its actions are masked.
    Masked,
}

/// A template whose actions are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// The text, with the same lines and columns.
    pub text: String,
    /// Whether it may get more settings than are visible, or not all that are.
    pub open: bool,
}

/// Masks a template; nothing where the text is none.
pub fn mask(text: &str) -> Option<Masked> {
    let actions = actions(text);
    if actions.is_empty() {
        return None;
    }
    let mut blanked = vec![false; actions.len()];
    for group in groups(text, &actions) {
        blanked[group].fill(true);
    }
    let hidden = hidden_branches(&actions, &blanked);
    let masked = written(text, &actions, &blanked, &hidden);
    let open = Blocks::of(&actions, &blanked, Lines::of(&masked, text)).are_open();
    Some(Masked { text: masked, open })
}

/// The suffixes of a template's file name, which say nothing about what it makes.
const SUFFIXES: [&str; 8] = [".tpl", ".tmpl", ".template", ".gotmpl", ".j2", ".jinja", ".jinja2", ".erb"];

/// A file's name without what says that it is a template.
pub fn rendered_name(name: &str) -> &str {
    SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// One action of a template.
#[derive(Clone, Debug)]
struct Action<'t> {
    start: usize,
    end: usize,
    does: Does,
    body: &'t str,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Nothing: a comment, an assignment.
    Nothing,
    /// Vanishes, also between other text.
    Comment,
    /// Gives a text.
    Inserts,
    /// Begins a block that is there once or not at all.
    Opens,
    /// Begins a block that may be there several times.
    Repeats,
    /// Goes on with another branch.
    Else,
    /// Ends a block.
    Closes,
}

impl Does {
    fn begins(self) -> bool {
        matches!(self, Does::Opens | Does::Repeats)
    }
}

/// All actions in the order of the text. Those in lines that are comments are none.
fn actions(text: &str) -> Vec<Action<'_>> {
    let mut found: Vec<Action<'_>> = Vec::new();
    if !text.contains("{{") && !text.contains("{%") {
        return found;
    }
    let mut at = 0;
    let mut comment = is_comment(text);
    // Once an end was not found behind quotes, quotes are not looked at any more: no text is gone through twice.
    let mut quotes = true;
    let mut closed = [true; 3];
    while let Some(next) = text[at..].find('{').map(|more| at + more) {
        if let Some(end) = text[at..next].rfind('\n') {
            comment = is_comment(&text[at + end + 1..]);
        }
        at = next + 1;
        let rest = &text[next..];
        let (index, close) = match rest.as_bytes().get(1) {
            Some(b'{') => (0, "}}"),
            Some(b'%') => (1, "%}"),
            Some(b'#') if !text[..next].ends_with('$') => (2, "#}"),
            _ => continue,
        };
        if !closed[index] || comment {
            continue;
        }
        let inside = &rest[2..];
        let quoted = (index == 0 && quotes).then(|| end_behind_quotes(inside)).flatten();
        let Some(length) = quoted.or_else(|| {
            quotes &= index != 0;
            inside.find(close)
        }) else {
            closed[index] = false;
            continue;
        };
        let body = inside[..length].trim_matches(['-', '~', '+']).trim();
        let does = match index {
            0 => go_action(body),
            1 => jinja_statement(body),
            _ => Does::Comment,
        };
        // `{{}}` is no action of anybody's.
        if length > 0 {
            found.push(Action { start: next, end: next + 2 + length + 2, does, body });
        }
        at = next + 2 + length;
    }
    found
}

/// Whether a line's first character says that it is a comment.
fn is_comment(line: &str) -> bool {
    line.bytes().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(b'#')
}

/// Where `}}` stands outside of quotes, as Go reads it: a quoted text ends in its line, one in backticks does not.
fn end_behind_quotes(inside: &str) -> Option<usize> {
    let bytes = inside.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            quote @ (b'"' | b'`') => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| *byte != quote && (quote == b'`' || *byte != b'\n')) {
                    at += if quote == b'"' && bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn go_action(body: &str) -> Does {
    let word = body.split_whitespace().next().unwrap_or_default();
    match word {
        _ if body.starts_with("/*") => Does::Comment,
        "if" | "with" | "define" | "block" => Does::Opens,
        "range" => Does::Repeats,
        "else" => Does::Else,
        "end" => Does::Closes,
        "fail" | "break" | "continue" => Does::Nothing,
        _ if word.starts_with('$') && body[word.len()..].trim_start().starts_with([':', '=']) => Does::Nothing,
        _ if word == "$_" || body.starts_with('$') && body.contains(":=") => Does::Nothing,
        _ => Does::Inserts,
    }
}

fn jinja_statement(body: &str) -> Does {
    match body.split_whitespace().next().unwrap_or_default() {
        "if" | "with" | "block" | "macro" | "raw" | "filter" | "autoescape" => Does::Opens,
        "for" | "call" => Does::Repeats,
        "else" | "elif" => Does::Else,
        word if word.starts_with("end") => Does::Closes,
        "include" | "extends" => Does::Inserts,
        _ => Does::Nothing,
    }
}

/// Stretches of actions that have their lines for themselves.
fn groups(text: &str, actions: &[Action<'_>]) -> Vec<std::ops::Range<usize>> {
    let mut groups = Vec::new();
    let mut first = 0;
    while first < actions.len() {
        let mut end = first + 1;
        let mut only = true;
        let mut at = actions[first].end;
        while let Some(next) = actions.get(end).filter(|next| !text[at..next.start].contains('\n')) {
            only &= text[at..next.start].trim().is_empty();
            at = next.end;
            end += 1;
        }
        let before = text[..actions[first].start].rsplit('\n').next().unwrap_or_default();
        let behind = text[at..].split('\n').next().unwrap_or_default();
        if only && before.trim().is_empty() && behind.trim().is_empty() {
            groups.push(first..end);
        }
        first = end;
    }
    groups
}

/// The bytes between an `else` and the end of its block, where each has its line for itself.
fn hidden_branches(actions: &[Action<'_>], own: &[bool]) -> Vec<std::ops::Range<usize>> {
    let mut hidden = Vec::new();
    // Of every block that is open: where its first other branch begins.
    let mut blocks: Vec<Option<usize>> = Vec::new();
    for (action, own) in actions.iter().zip(own) {
        match action.does {
            Does::Opens | Does::Repeats => blocks.push(None),
            Does::Else if *own => {
                if let Some(branch) = blocks.last_mut() {
                    branch.get_or_insert(action.end);
                }
            }
            Does::Closes => {
                if let Some(Some(start)) = blocks.pop().filter(|_| *own)
                    && blocks.iter().all(Option::is_none)
                {
                    hidden.push(start..action.start);
                }
            }
            _ => {}
        }
    }
    hidden
}

/// The text with its actions masked or blanked, and with the branches blanked that are hidden.
fn written(text: &str, actions: &[Action<'_>], blanked: &[bool], hidden: &[std::ops::Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let blank = |out: &mut String, part: &str| {
        out.extend(part.chars().map(|c| if matches!(c, '\n' | '\r') { c } else { ' ' }));
    };
    let mut hidden = hidden.iter().peekable();
    let mut at = 0;
    let mut keys = 0;
    for (action, own) in actions.iter().zip(blanked) {
        while hidden.next_if(|range| range.end < action.start).is_some() {}
        let mut unseen = |from: usize| hidden.peek().is_some_and(|range| range.start <= from && from < range.end);
        let between = &text[at..action.start];
        if unseen(at) {
            blank(&mut out, between)
        } else {
            out.push_str(between)
        }
        let part = &text[action.start..action.end];
        if *own || action.does == Does::Comment || unseen(action.start) {
            blank(&mut out, part);
        } else {
            // Keys of one map must differ, so what begins a line gets a number behind its dollars.
            let (new_line, before) = between.rsplit_once('\n').map_or((at == 0, between), |(_, tail)| (true, tail));
            let begins = new_line && before.trim_start_matches([' ', '-']).is_empty();
            let first = part.split('\n').next().unwrap_or_default();
            let mut number = String::new();
            if begins {
                keys += 1;
                number = format!("{keys}");
            }
            let length = first.trim_end_matches('\r').chars().count();
            let dollars = if length >= number.len() + 5 { length - number.len() } else { length };
            out.extend(std::iter::repeat_n('$', dollars));
            out.push_str(&number[..length - dollars]);
            blank(&mut out, &part[first.trim_end_matches('\r').len()..]);
        }
        at = action.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Keys below which nothing has a bearing on Flink's memory.
const HARMLESS: [&str; 44] = [
    "affinity",
    "annotations",
    "depends_on",
    "dnsConfig",
    "healthcheck",
    "hostAliases",
    "hosts",
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "ingress",
    "ingressClassName",
    "initContainers",
    "jarURI",
    "labels",
    "lifecycle",
    "livenessProbe",
    "logging",
    "matchLabels",
    "metadata",
    "name",
    "namespace",
    "networks",
    "nodeSelector",
    "ownerReferences",
    "persistentVolumeClaim",
    "podSecurityContext",
    "ports",
    "priorityClassName",
    "readinessProbe",
    "replicas",
    "restart",
    "rules",
    "schedulerName",
    "securityContext",
    "selector",
    "serviceAccount",
    "serviceAccountName",
    "startupProbe",
    "strategy",
    "tls",
    "tolerations",
    "topologySpreadConstraints",
    "volumeMounts",
];

/// How far up the line is looked for that something is nested in.
const MAX_ANCESTOR: usize = 500;

/// The lines of the masked text.
struct Lines<'m> {
    /// How far each is indented, and its key.
    lines: Vec<(usize, &'m str)>,
    /// Where each begins in the template.
    starts: Vec<usize>,
}

impl<'m> Lines<'m> {
    /// Masked and template have the same lines.
    fn of(masked: &'m str, text: &str) -> Lines<'m> {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Lines { lines: masked.split('\n').map(key_of).collect(), starts }
    }

    /// The line that a byte of the template stands in, from 0.
    fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// Whether what stands at this depth below a line belongs to a harmless key.
    fn is_harmless(&self, line: usize, mut indent: usize) -> bool {
        for above in self.lines[..line.min(self.lines.len())].iter().rev().take(MAX_ANCESTOR) {
            let (depth, key) = *above;
            if key.is_empty() || depth >= indent {
                continue;
            }
            if HARMLESS.contains(&key) {
                return true;
            }
            indent = depth;
            if indent == 0 {
                return false;
            }
        }
        false
    }
}

/// How far a line is indented, and its key.
fn key_of(line: &str) -> (usize, &str) {
    let bare = line.trim_start_matches([' ', '-']);
    (line.len() - bare.len(), bare.split(':').next().unwrap_or_default().trim())
}

/// The actions as blocks.
struct Blocks<'a, 't> {
    actions: &'a [Action<'t>],
    own: &'a [bool],
    lines: Lines<'a>,
    /// Of each that begins a block: the one that ends it, and whether there is another branch.
    ends: Vec<(usize, bool)>,
    /// The first and the last line with more than a comment.
    content: Option<(usize, usize)>,
}

impl<'a, 't> Blocks<'a, 't> {
    fn of(actions: &'a [Action<'t>], own: &'a [bool], lines: Lines<'a>) -> Blocks<'a, 't> {
        let mut ends = vec![(actions.len(), false); actions.len()];
        let mut open: Vec<usize> = Vec::new();
        for (at, action) in actions.iter().enumerate() {
            match action.does {
                Does::Opens | Does::Repeats => open.push(at),
                Does::Else => open.last().into_iter().for_each(|block| ends[*block].1 = true),
                Does::Closes => open.pop().into_iter().for_each(|block| ends[block].0 = at),
                _ => {}
            }
        }
        let has_content = |(_, key): &(usize, &str)| !key.is_empty() && !key.starts_with('#');
        let first = lines.lines.iter().position(has_content);
        let content = first.zip(lines.lines.iter().rposition(has_content));
        Blocks { actions, own, lines, ends, content }
    }

    /// Whether any of them may bring settings, or take some away.
    fn are_open(&self) -> bool {
        let mut at = 0;
        let mut outermost = true;
        let mut end = self.actions.len();
        while at < end {
            let action = &self.actions[at];
            if action.does.begins() {
                let close = self.ends[at].0;
                if outermost && action.does == Does::Opens && self.wraps(at, close, end) {
                    end = close;
                    at += 1;
                    continue;
                }
                if self.own[at] && !self.is_harmless_block(at, close) {
                    return true;
                }
                outermost = false;
                at = close + 1;
                continue;
            }
            outermost &= matches!(action.does, Does::Nothing | Does::Comment);
            if !self.is_harmless_insert(at) {
                return true;
            }
            at += 1;
        }
        false
    }

    /// Whether a block stands around everything else, with one branch: then it is all there, or nothing is.
    fn wraps(&self, at: usize, close: usize, end: usize) -> bool {
        let (Some(closing), false) = (self.actions.get(close), self.ends[at].1) else { return false };
        let first = self.lines.number(self.actions[at].start);
        let last = self.lines.number(closing.start);
        self.own[at] && close + 1 == end && self.content.is_none_or(|(from, to)| first <= from && to <= last)
    }

    /// Whether a block holds nothing but lines and insertions without a bearing on memory.
    fn is_harmless_block(&self, at: usize, close: usize) -> bool {
        let first = self.lines.number(self.actions[at].start) + 1;
        let last = self.actions.get(close).map_or(self.lines.lines.len(), |action| self.lines.number(action.start));
        let mut depth = usize::MAX;
        for number in first..last.max(first) {
            let Some((indent, key)) = self.lines.lines.get(number).copied() else { break };
            if key.is_empty() || key.starts_with('#') || indent > depth {
                continue;
            }
            if !(HARMLESS.contains(&key) || depth == usize::MAX && self.lines.is_harmless(number, indent)) {
                return false;
            }
            depth = indent;
        }
        (at + 1..close.min(self.actions.len())).all(|inner| self.is_harmless_insert(inner))
    }

    /// Whether an action inserts nothing, a value, or what has no bearing on memory.
    fn is_harmless_insert(&self, at: usize) -> bool {
        let action = &self.actions[at];
        let mut words = action.body.split(|c: char| c.is_whitespace() || "()|".contains(c)).filter(|w| !w.is_empty());
        let makes_map = |word: &str| ["toYaml", "nindent", "indent", "to_nice_yaml", "to_yaml"].contains(&word);
        let inserts = action.does == Does::Inserts && (self.own[at] || words.clone().any(makes_map));
        if !inserts {
            return true;
        }
        let number = self.lines.number(action.start);
        let Some((depth, key)) = self.lines.lines.get(number).copied() else { return false };
        if !self.own[at] && HARMLESS.contains(&key) {
            return true;
        }
        let column = action.start - self.lines.starts.get(number).copied().unwrap_or(0);
        let asked = words.find(|word| word.ends_with("indent")).and_then(|_| words.next()?.parse().ok());
        self.lines.is_harmless(number, if self.own[at] { asked.unwrap_or(column) } else { depth })
    }
}

/// Whether a text is nothing but what a template replaces.
pub fn is_hidden(text: &str) -> bool {
    let text = text.trim();
    is_placeholder(text) && text.bytes().all(|byte| byte == b'$' || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
