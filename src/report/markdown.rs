//! A plan as Markdown, for a ticket or a pull request.

use super::Sheet;
use super::amount::mib;
use super::table;
use super::text;

/// Of blocks that are not tables.
const WIDTH: usize = 100;

/// The report on one plan.
pub fn sheet(sheet: &Sheet) -> String {
    let title = match sheet.title() {
        Some(title) => format!("{} of `{title}`", sheet.question.role),
        None => sheet.question.role.to_string(),
    };
    let mut out = format!("### {title}\n\nFlink {}.\n\n", sheet.version_line());
    for reason in &sheet.inferred {
        out += &format!("{reason}.\n\n");
    }
    match &sheet.outcome {
        Ok(survey) => {
            let rows: Vec<Vec<String>> = text::rows(survey)
                .iter()
                .map(|row| {
                    vec![
                        format!("{}{}", "&nbsp;&nbsp;".repeat(row.depth), row.name),
                        mib(row.bytes),
                        row.bytes.get().to_string(),
                        row.origin.clone(),
                        row.keeper.map_or(String::new(), |keeper| keeper.label().to_owned()),
                    ]
                })
                .collect();
            out += &table::markdown(&text::COLUMNS, &text::SIDES, &rows);
            let slots = text::slots(sheet, survey, WIDTH)
                + &text::network_need(sheet, WIDTH)
                + &text::workload_need(sheet, WIDTH);
            let block = format!("Started with\n{}{slots}", table::wrapped(&survey.plan.jvm_arguments, WIDTH, 2));
            out += &format!("\n```\n{}```\n", anstream::adapter::strip_str(&block));
        }
        Err(rejected) => {
            out += &format!("```\n{}```\n", anstream::adapter::strip_str(&text::refusal(sheet, rejected, WIDTH)));
        }
    }
    for remark in &sheet.remarks {
        out += &format!("\n- {}: {}\n", remark.place, remark.text);
    }
    out
}
