//! Scripts of the SQL client: every place is in the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::config::sql_script;

fuzz_target!(|text: &str| {
    let _ = sql_script::is_sql_script(text);
    let script = sql_script::parse(text);
    for setting in script.settings.iter().chain(&script.table_options) {
        assert!(text.get(setting.position.start..setting.position.end).is_some());
        assert!(text.get(setting.written.start..setting.written.end).is_some());
    }
});
