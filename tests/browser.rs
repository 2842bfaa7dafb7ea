//! Pages of HTML in a real browser without a network: they are drawn, and fetch nothing. Needs Debian's `chromium`:
//!
//! ```text
//! cargo test --features browser-tests --test browser
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

/// What keeps Chromium from looking for its own services.
const QUIET: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Nothing that a page might name is found.
    "--host-resolver-rules=MAP * ~NOTFOUND",
];

fn chromium(profile: &Path, arguments: &[&str], page: &Path) -> Output {
    let mut command = Command::new("chromium");
    command.args(QUIET).arg(format!("--user-data-dir={}", profile.display())).args(arguments);
    command.arg(format!("file://{}", page.display())).output().expect("chromium is here: apt-get install chromium")
}

fn page_of(folder: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let output = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .arg("diagnose")
        .arg(path)
        .args(["--format", "html"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Measures the page as it is drawn and writes what it finds into it, which `--dump-dom` prints.
const MEASURE: &str = "<script>addEventListener('load', () => {
  const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  const drawn = [...document.querySelectorAll('svg rect, svg circle')].filter(e => e.getBoundingClientRect().width > 0).length;
  const fetched = performance.getEntriesByType('resource').length;
  document.body.setAttribute('data-seen', `wide=${wide} drawn=${drawn} fetched=${fetched}`);
});</script>";

#[rstest]
#[case("incidents/1-pyflink-yarn", 8)]
#[case("incidents/4-batch-shuffle-page-cache", 4)]
#[case("incidents/5-heap-state-surge", 4)]
#[case("failures/rocksdb-unmanaged-cgroup-oom", 8)]
fn a_diagnosis_is_drawn_without_a_network_and_fits_the_window(#[case] folder: &str, #[case] least: usize) {
    let directory = tempfile::tempdir().unwrap();
    let html = page_of(folder);
    let file = directory.path().join("page.html");
    fs::write(&file, html.replace("</body>", &format!("{MEASURE}</body>"))).unwrap();
    let output =
        chromium(directory.path(), &["--window-size=900,1200", "--virtual-time-budget=2000", "--dump-dom"], &file);
    let dom = String::from_utf8_lossy(&output.stdout);
    let seen = dom.split("data-seen=\"").nth(1).and_then(|rest| rest.split('"').next());
    let seen = seen.unwrap_or_else(|| panic!("the page was not measured: {dom}"));
    assert!(seen.starts_with("wide=false ") && seen.ends_with(" fetched=0"), "{seen}");
    let drawn: usize = seen.split("drawn=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(drawn >= least, "{seen}");
    // A picture of it is no blank sheet.
    let picture = directory.path().join("page.png");
    let shot = format!("--screenshot={}", picture.display());
    let output = chromium(directory.path(), &["--window-size=900,1200", &shot], &file);
    let bytes = fs::metadata(&picture).map(|metadata| metadata.len()).unwrap_or(0);
    assert!(bytes > 20_000, "{bytes} bytes; {}", String::from_utf8_lossy(&output.stderr));
}
