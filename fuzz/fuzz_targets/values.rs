//! Sizes in three grammars, Java's numbers, and Flink's lists: read, and where they can be written again, the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oomph::flink::{java, memory_size, structured};
use oomph::model::Bytes;

fuzz_target!(|text: &str| {
    if let Ok(size) = Bytes::parse_flink(text) {
        assert_eq!(Bytes::parse_flink(&memory_size::short(size)), Ok(size));
        let _ = memory_size::human(size);
    }
    let _ = Bytes::parse_flink_default_mib(text);
    let _ = Bytes::parse_jvm(text);
    let _ = java::parse_int(text);
    let _ = java::parse_float(text);
    if let Ok(number) = java::parse_double(text)
        && !number.is_nan()
    {
        assert_eq!(java::parse_double(&java::double_to_string(number)), Ok(number));
    }
    let _ = structured::split(text, ';');
});
