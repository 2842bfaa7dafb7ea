#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "secret", "token", "apikey", "http-headers", "access-key"].iter().any(|word| key.contains(word))
}

fn text(input: &str) -> String {
    String::from_utf8(Masker::new(&is_secret).text(input.as_bytes()).bytes).unwrap()
}

/// A command line of words, shown with bars between them.
fn words(input: &[&str]) -> String {
    let (masked, _) = Masker::new(&is_secret).command_line(input.join("\0").as_bytes());
    String::from_utf8(masked.bytes).unwrap().replace('\0', "|")
}

#[rstest]
#[case(&["-Ddb.password=a b -c", "-Xmx1g"], "-Ddb.password=******|-Xmx1g")]
#[case(&["-D", "s3.secret-key=ab=c", "-D", "a=b"], "-D|s3.secret-key=****|-D|a=b")]
#[case(&["--conf", "spark.my.token=abc", "x"], "--conf|spark.my.token=***|x")]
#[case(&["--password", "a b", "--x"], "--password|***|--x")]
#[case(&["--password", "--x"], "--password|--x")]
#[case(&["-password", "abc"], "-password|***")]
#[case(&["--password=ab", "c"], "--password=**|c")]
#[case(&["-Ddb.pass=ab", "-Dbypass=ab"], "-Ddb.pass=**|-Dbypass=ab")]
#[case(&["-Dssl.key=ab", "-Dkey.serializer=ab"], "-Dssl.key=**|-Dkey.serializer=ab")]
#[case(&["keytool", "-storepass", "ab"], "keytool|-storepass|**")]
#[case(&["curl", "-u", "me:ab"], "curl|-u|me:**")]
#[case(&["python3", "-u", "a.py"], "python3|-u|a.py")]
#[case(&["-H", "Authorization: Bearer abc"], "-H|Authorization: **********")]
#[case(&["-javaagent:/a.jar=apiKey=ab,port=1"], "-javaagent:/a.jar=apiKey=*********")]
#[case(&["-Dflag.token", "com.example.Main"], "-Dflag.token|com.example.Main")]
#[case(&["-cp", "/a/token-1.jar:/b/password.jar:/c"], "-cp|/a/token-1.jar:/b/password.jar:/c")]
#[case(&["AccountKey=ab;EndpointSuffix=c"], "AccountKey=*******************")]
#[case(&["password=\u{e9}\u{e9}"], "password=****")]
#[case(&["-Dpassword="], "-Dpassword=")]
fn words_of_a_command_line_end_where_they_end(#[case] input: &[&str], #[case] expected: &str) {
    assert_eq!(words(input), expected);
}

#[rstest]
#[case("java -Dx.password=ab cd -Xmx1g", "java -Dx.password=***** -Xmx1g")]
#[case("java -Dx.password='a -b' -Xmx1g", "java -Dx.password='****' -Xmx1g")]
#[case("a='x' password='a'\"'\"'b' -Xmx1g", "a='x' password=********* -Xmx1g")]
#[case("{\"password\": \"a\\\"b\", \"b\": 1}", "{\"password\": \"****\", \"b\": 1}")]
#[case("{\\\"token\\\":\\\"ab\\\",\\\"b\\\":1}", "{\\\"token\\\":\\\"**\\\",\\\"b\\\":1}")]
#[case("token: ab\nb: c", "token: **\nb: c")]
#[case("--password ab cd --x y", "--password ***** --x y")]
#[case("password= -Xmx1g", "password= -Xmx1g")]
#[case("-Dpassword=", "-Dpassword=")]
#[case("jdbc:mysql://h:1/d?user=a&password=b&c=d", "jdbc:mysql://h:1/d?user=a&password=*****")]
#[case("https://me:a@b@h:80/x?y", "https://me:***@h:80/x?y")]
#[case("https://abcdef@h/x", "https://******@h/x")]
#[case("mongodb://me:ab@h:1,h2:1/d", "mongodb://me:**@h:1,h2:1/d")]
#[case("me:ab@h:1", "me:**@h:1")]
#[case("jdbc:oracle:thin:scott/tiger@//h:1/x", "jdbc:oracle:thin:scott/*****@//h:1/x")]
#[case("pekko.tcp://flink@h:6123/user/rpc", "pekko.tcp://flink@h:6123/user/rpc")]
#[case("abfss://data@account.dfs.core.windows.net/x", "abfss://data@account.dfs.core.windows.net/x")]
#[case("hdfs://nn:8020/a@b", "hdfs://nn:8020/a@b")]
#[case("x AKIAIOSFODNN7EXAMPLE y", "x ******************** y")]
#[case("x ghp_0123456789abcdefghij y", "x ************************ y")]
#[case(
    "a -----BEGIN PRIVATE KEY-----\nAB\n-----END PRIVATE KEY-----",
    "a -----BEGIN PRIVATE KEY-----****-----END PRIVATE KEY-----"
)]
fn secrets_in_a_text_are_found_by_name_address_and_shape(#[case] input: &str, #[case] expected: &str) {
    assert_eq!(text(input), expected);
}

#[test]
fn a_signed_token_is_found_wherever_it_stands() {
    let token = format!("eyJ{}.{}.{}", "a".repeat(20), "b".repeat(20), "c".repeat(10));
    assert_eq!(text(&format!("run {token} now")), format!("run {} now", "*".repeat(token.len())));
}

#[test]
fn what_a_shell_is_to_run_keeps_its_options_of_memory() {
    let script = "exec java -Xmx1g -Ddb.password=a -D taskmanager.memory.managed.size=1b Main";
    let masked = words(&["bash", "-c", script]);
    assert_eq!(masked, format!("bash|-c|{}", script.replace("=a ", "=* ")));
    assert_eq!(words(&["bash", "-c", "password=a java -Xmx1g"]), "bash|-c|password=****** -Xmx1g");
}

#[test]
fn a_command_that_the_jvm_runs_when_memory_is_out_is_no_flag_of_memory() {
    let shown = words(&["-XX:OnOutOfMemoryError=curl -u me:ab https://me:ab@h/ -H 'X-Token: ab'"]);
    assert!(!shown.contains("ab"), "{shown}");
}

#[test]
fn of_an_environment_only_the_allocators_variables_are_left() {
    let masker = Masker::new(&is_secret);
    let masked = masker.environment(b"AWS_SECRET=x\0MALLOC_ARENA_MAX=1\0LD_PRELOAD=/a.so\0HOME=/root\0");
    assert_eq!(masked.bytes, b"MALLOC_ARENA_MAX=1\0LD_PRELOAD=/a.so\0");
}

#[test]
fn performance_data_use_what_the_command_line_tells_of_where_values_end() {
    let masker = Masker::new(&is_secret);
    let arguments = ["java", "-Da.password=x -y z", "Main", "--token", "p q", "-D", "a=b"];
    let (_, known) = masker.command_line(arguments.join("\0").as_bytes());
    let data = b"\x01\0\0java.rt.vmArgs\0-Da.password=x -y z -Xmx1g\0\0Main --token p q run -D a=b\0".to_vec();
    let masked = masker.performance_data(&data, &known);
    assert_eq!(masked.bytes.len(), data.len());
    let shown = String::from_utf8(masked.bytes).unwrap();
    assert!(shown.contains("-Da.password=****** -Xmx1g") && shown.contains("Main --token *** run -D a=b"), "{shown:?}");
    assert_eq!(masked.values, 2);
    // What the environment added to the options is not in the command line.
    let shown = masker.performance_data(b"-Xmx1g -Dmy.token=abc -Xms1g\0", &known).bytes;
    assert_eq!(shown, b"-Xmx1g -Dmy.token=*** -Xms1g\0");
    assert_eq!(masker.performance_data(b"-Dpw=a\0\0", &known).bytes, b"-Dpw=*\0\0");
}

#[test]
fn the_numbers_of_performance_data_are_never_touched() {
    let masker = Masker::new(&is_secret);
    // As an address would look: eight bytes of a number, one of a length.
    let data = b"\0\0a:b@cdef8\0\0\0me:b@c\0";
    assert_eq!(masker.performance_data(data, &Known::default()).bytes, data);
}

#[test]
fn a_log_of_rocksdb_keeps_everything_but_passwords_in_addresses() {
    let masked = Masker::new(&is_secret).addresses(b"index_key_is_user_key: 1 token: 2 s3://me:ab@h/x\n");
    assert_eq!(masked.bytes, b"index_key_is_user_key: 1 token: 2 s3://me:**@h/x\n");
}

#[test]
fn long_and_hostile_texts_take_no_longer_than_their_length() {
    let masker = Masker::new(&is_secret);
    for part in ["password='", "://", "a:b@", "--password ", "eyJ.", "=", "-----BEGIN PRIVATE KEY", "\"token\\", "@"] {
        let text = part.repeat(100_000 / part.len());
        let (masked, known) = masker.command_line(text.as_bytes());
        assert_eq!(masked.bytes.len(), text.len());
        assert_eq!(masker.performance_data(text.as_bytes(), &known).bytes.len(), text.len());
    }
}

#[test]
fn a_long_line_full_of_secrets_takes_no_longer_than_its_length_is() {
    let closed = "{\"password\": \"secret\", \"b\": 1}".repeat(10_000);
    let unclosed = "password: 'x\n".repeat(20_000);
    let flags = "\"--password \"--password ".repeat(10_000);
    for text in [closed, unclosed, flags] {
        let start = std::time::Instant::now();
        let masker = Masker::new(&is_secret);
        assert!(masker.text(text.as_bytes()).values > 0);
        let (_, known) = masker.command_line(text.replace('\n', "\0").as_bytes());
        masker.performance_data(text.as_bytes(), &known);
        assert!(start.elapsed().as_secs() < 20, "{:?}: {}", start.elapsed(), &text[..20]);
    }
}

fn memory_word() -> impl Strategy<Value = String> {
    prop_oneof![
        "-X(mx|ms|mn|ss)[1-9][0-9]{0,9}[kmg]?",
        "-XX:[+-][A-Z][A-Za-z]{1,30}",
        "-XX:Max(DirectMemory|Metaspace)Size=[0-9]{1,12}",
        "-Dtaskmanager\\.memory\\.[a-z]{1,10}\\.(size|min|max|fraction)=[0-9]{1,12}b?",
        "taskmanager\\.memory\\.[a-z-]{1,20}\\.size=[0-9]{1,12}b",
        Just("taskmanager.numberOfTaskSlots=2".to_owned()),
    ]
}

fn secret_word() -> impl Strategy<Value = String> {
    let names = prop_oneof![Just("-Ddb.password="), Just("s3.secret-key="), Just("--my-token="), Just("-Dx.apikey=")];
    (names, "!![ -~]{0,20}!!").prop_map(|(name, value)| format!("{name}{value}"))
}

proptest! {
    #[test]
    fn any_bytes_keep_their_length_and_what_is_masked_stays_masked(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        hints in prop::collection::vec("(password=|token: |--password |://a:|@h |-Xmx1g |\")", 0..20),
    ) {
        let masker = Masker::new(&is_secret);
        let mut input = bytes.clone();
        for (number, hint) in hints.iter().enumerate() {
            let at = (number * 17) % (input.len() + 1);
            input.splice(at..at, hint.bytes());
        }
        let (masked, known) = masker.command_line(&input);
        prop_assert_eq!(masked.bytes.len(), input.len());
        for (before, after) in input.iter().zip(&masked.bytes) {
            prop_assert!(before == after || *after == b'*');
        }
        prop_assert_eq!(masker.performance_data(&input, &known).bytes.len(), input.len());
        prop_assert_eq!(masker.text(&input).bytes.len(), input.len());
    }

    #[test]
    fn words_of_memory_stay_and_secrets_go_in_any_order(
        words in prop::collection::vec((memory_word(), secret_word()), 1..8),
    ) {
        let all: Vec<String> = words.iter().flat_map(|(memory, secret)| [memory.clone(), secret.clone()]).collect();
        let masker = Masker::new(&is_secret);
        let (masked, known) = masker.command_line(all.join("\0").as_bytes());
        let shown = String::from_utf8(masked.bytes).unwrap();
        prop_assert!(!shown.contains("!!"), "{}", shown);
        for (memory, _) in &words {
            prop_assert!(shown.split('\0').any(|word| word == memory), "{} lost {}", shown, memory);
        }
        // The same joined by blanks, as the JVM keeps it.
        let joined = all.join(" ");
        let shown = String::from_utf8(masker.performance_data(joined.as_bytes(), &known).bytes).unwrap();
        prop_assert!(!shown.contains("!!"), "{}", shown);
        for (memory, _) in &words {
            prop_assert!(shown.contains(memory.as_str()), "{} lost {}", shown, memory);
        }
    }
}
