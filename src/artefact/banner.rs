//! What Flink logs about itself as it starts (`EnvironmentInformation.logEnvironmentInfo`):
//! `Starting TaskManager (Version: 1.20.5, Scala: 2.12, Rev: ..., Date: ...)`.

use super::Stated;

/// Every version that a banner of the text names.
pub fn versions(text: &str) -> Vec<Stated<String>> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let (before, rest) = line.split_once("(Version: ")?;
            let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let named = before.contains("Starting") && version.contains('.');
            named.then(|| Stated::at(index, version.trim_end_matches('.').to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_names_the_version() {
        let text = "INFO - -----\nINFO TaskManagerRunner [] -  Starting TaskManager (Version: 1.20.5, Scala: 2.12)\n\
                    INFO - Starting (Version: <unknown>, Scala\n";
        assert_eq!(versions(text), [Stated { what: "1.20.5".to_owned(), line: 2 }]);
    }
}
