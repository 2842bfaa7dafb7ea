//! Compiles `profiles/` into statics, so that no profile is parsed when oomph starts.
//!
//! A profile says what changed since the version it comes `after`; here the chain is unrolled, so that the program
//! sees one whole table a version. What the names in `behaviour` mean is documented at `flink::profile::Behaviour`:
//! a name that has no meaning there does not compile.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;
use serde_yaml::Value;

#[path = "build/invented.rs"]
mod invented;
#[path = "build/leaks.rs"]
mod leaks;
#[path = "build/options.rs"]
mod options;
#[path = "build/policy.rs"]
mod policy;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    version: String,
    tested: String,
    after: Option<String>,
    rocksdb: Option<RocksDb>,
    image_jdk: Option<u16>,
    #[serde(default)]
    behaviour: BTreeMap<String, Value>,
    #[serde(default)]
    options: BTreeMap<String, Row>,
    shipped: Option<BTreeMap<String, String>>,
    #[serde(default)]
    removed: Vec<String>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RocksDb {
    version: String,
    arena_block: String,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Row {
    r#type: String,
    default: Option<String>,
    #[serde(default)]
    deprecated: Vec<String>,
    #[serde(default)]
    fallback: Vec<String>,
    source: String,
}

/// A version with everything it took over from the one before.
#[derive(Clone)]
struct Profile {
    version: Vec<u16>,
    tested: String,
    rocksdb: RocksDb,
    image_jdk: u16,
    behaviour: BTreeMap<String, Value>,
    options: BTreeMap<String, Row>,
    shipped: BTreeMap<String, String>,
}

impl Profile {
    fn name(&self) -> String {
        self.version.iter().map(u16::to_string).collect::<Vec<_>>().join(".")
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("profiles");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build");
    let target = PathBuf::from(env::var("OUT_DIR")?);
    let profiles = unroll(read(&root.join("flink"))?)?;
    fs::write(target.join("flink_profiles.rs"), generate(&profiles)?)?;
    let versions: Vec<String> = profiles.iter().map(Profile::name).collect();
    let table = fs::read_to_string(root.join("options.tsv"))?;
    fs::write(target.join("options.rs"), options::generate(&table, &versions)?)?;
    let invented = fs::read_to_string(root.join("invented-keys.yaml"))?;
    fs::write(target.join("invented.rs"), invented::generate(&invented)?)?;
    fs::write(target.join("leaks.rs"), leaks::generate(&texts(&root.join("leaks"))?)?)?;
    fs::write(target.join("policy.rs"), policy::generate(&texts(&root.join("policy"))?)?)?;
    Ok(())
}

/// The YAML files of a folder with their paths, in order.
fn texts(folder: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "yaml") {
            texts.push((path.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    texts.sort();
    Ok(texts)
}

fn read(folder: &Path) -> Result<Vec<File>, Box<dyn Error>> {
    let mut files = Vec::new();
    for (path, text) in texts(folder)? {
        let file: File = serde_yaml::from_str(&text).map_err(|e| format!("{path}: {e}"))?;
        files.push(file);
    }
    files.sort_by_key(|f| numbers(&f.version));
    Ok(files)
}

fn numbers(version: &str) -> Vec<u16> {
    version.split('.').map(|n| n.parse().unwrap_or(0)).collect()
}

fn unroll(files: Vec<File>) -> Result<Vec<Profile>, Box<dyn Error>> {
    let mut profiles: BTreeMap<String, Profile> = BTreeMap::new();
    let mut order = Vec::new();
    for file in files {
        let base = match &file.after {
            Some(name) => {
                Some(profiles.get(name).ok_or_else(|| format!("{}: comes after unknown {name}", file.version))?.clone())
            }
            None => None,
        };
        let (mut behaviour, mut options, rocksdb, image_jdk, shipped) = match base {
            Some(base) => (base.behaviour, base.options, Some(base.rocksdb), Some(base.image_jdk), base.shipped),
            None => Default::default(),
        };
        for key in &file.removed {
            options.remove(key).ok_or_else(|| format!("{}: removes unknown {key}", file.version))?;
        }
        behaviour.extend(file.behaviour);
        options.extend(file.options);
        let profile = Profile {
            version: numbers(&file.version),
            tested: file.tested,
            rocksdb: file.rocksdb.or(rocksdb).ok_or_else(|| format!("{}: no rocksdb", file.version))?,
            image_jdk: file.image_jdk.or(image_jdk).ok_or_else(|| format!("{}: no image-jdk", file.version))?,
            behaviour,
            options,
            shipped: file.shipped.unwrap_or(shipped),
        };
        profiles.insert(file.version.clone(), profile);
        order.push(file.version);
    }
    Ok(order.into_iter().filter_map(|name| profiles.remove(&name)).collect())
}

fn generate(profiles: &[Profile]) -> Result<String, Box<dyn Error>> {
    let mut keys: Vec<&String> = profiles.iter().flat_map(|p| p.options.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut out = String::new();
    writeln!(out, "/// Every option of every profile, sorted.")?;
    writeln!(out, "pub(crate) const KEYS: [&str; {}] = {keys:?};", keys.len())?;
    writeln!(out, "/// Every profile, oldest first.")?;
    writeln!(out, "pub(crate) static PROFILES: [Profile; {}] = [", profiles.len())?;
    for profile in profiles {
        let part = |n: usize| profile.version.get(n).copied().unwrap_or(0);
        writeln!(out, "Profile {{ major: {}, minor: {}, patch: {},", part(0), part(1), part(2))?;
        writeln!(out, "tested: {:?},", profile.tested)?;
        writeln!(
            out,
            "rocksdb: RocksDbRelease {{ version: {:?}, arena_block: ArenaBlock::{} }},",
            profile.rocksdb.version,
            camel(&profile.rocksdb.arena_block)
        )?;
        writeln!(out, "image_jdk: {},", profile.image_jdk)?;
        let shipped: Vec<_> = profile.shipped.iter().collect();
        writeln!(out, "shipped: &{shipped:?},")?;
        writeln!(out, "behaviour: Behaviour {{")?;
        for (name, value) in &profile.behaviour {
            let field = name.replace('-', "_");
            match value {
                Value::Bool(flag) => writeln!(out, "{field}: {flag},")?,
                Value::String(text) => writeln!(out, "{field}: {}::{},", camel(name), camel(text))?,
                other => return Err(format!("behaviour {name}: {other:?}").into()),
            }
        }
        writeln!(out, "}},\noptions: &[")?;
        for key in &keys {
            match profile.options.get(*key) {
                Some(row) => writeln!(
                    out,
                    "Some(OptionRow {{ kind: OptionKind::{}, default: {:?}, deprecated: &{:?}, fallback: &{:?}, source: {:?} }}),",
                    camel(&row.r#type),
                    row.default,
                    row.deprecated,
                    row.fallback,
                    row.source
                )?,
                None => writeln!(out, "None,")?,
            }
        }
        writeln!(out, "] }},")?;
    }
    writeln!(out, "];")?;
    Ok(out)
}

/// `legacy-else-standard` to `LegacyElseStandard`.
fn camel(kebab: &str) -> String {
    kebab
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}
