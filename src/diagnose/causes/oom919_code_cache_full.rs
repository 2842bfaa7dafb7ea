use super::{flags, mib, percent, permille};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::model::{Bytes, Confidence, Finding, Pool, Severity};

cause! {
    /// Compiled code fills the code cache: the JVM stops compiling and runs slowly from then on.
    ///
    /// ### What is seen
    /// The code cache's resident pages come close to -XX:ReservedCodeCacheSize, 240 MiB by default. Its end is one line on
    /// stdout, "CodeCache is full. Compiler has been disabled.", which Flink keeps in the `.out` file only; then methods are
    /// interpreted and throughput falls for no visible reason. Sessions with many SQL jobs get there: each job's generated
    /// classes are compiled anew.
    ///
    /// ### What it is not
    /// - A leak of classes (OOM907), which shows in metaspace first and often comes with this.
    /// - A container limit: 240 MiB of code are above all of JVM Overhead's default, though (OOM912).
    ///
    /// ### How to prove it
    /// `jcmd PID Compiler.codecache`: `compilation: disabled`, or free near 0 in one of three segments.
    ///
    /// ### Cure
    /// -XX:ReservedCodeCacheSize=512m in `env.java.opts.taskmanager`, and as much more in
    /// `taskmanager.memory.jvm-overhead.min` and `taskmanager.memory.jvm-overhead.max`. Restart sessions, or run one job a
    /// cluster.
    ///
    /// ### Sources
    /// - HotSpot, compilerDefinitions.cpp (`ReservedCodeCacheSize`, five times 48 MiB with tiered compilation), codeCache.cpp
    ///   (`CodeCache::report_codemem_full`).
    "OOM919" "code-cache-full" {
        early: early,
    }
}

/// `-XX:ReservedCodeCacheSize` with tiered compilation, JDK 8 to 25 on 64 bits (compilerDefinitions.cpp).
const DEFAULT: Bytes = Bytes::mib(240);
/// Near, in thousandths: `-XX:StartAggressiveSweepingAt` is 10 % free (globals.hpp).
const NEAR: u64 = 900;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let code = outlook.now.account.as_ref().ok()?.entry(Pool::CodeCache)?.bytes;
    let told = flags::size(&outlook.now.sample, flags::CODE_CACHE);
    let max = told.map_or(DEFAULT, |told| told.bytes);
    let share = permille(code.get(), max.get()).filter(|share| *share >= NEAR)?;
    let title = format!("the code cache is {} full: {} of {}", percent(share), mib(code), mib(max));
    let finding = CAUSE.finding(Severity::Warning, Confidence::Medium, title);
    let finding = finding.note(match told {
        Some(told) => told.word.to_owned(),
        None => "the bound is HotSpot's default".to_owned(),
    });
    Some(finding.help("raise -XX:ReservedCodeCacheSize, and JVM Overhead with it"))
}

#[cfg(test)]
mod tests {
    use super::super::tried::Tried;
    use super::*;

    #[test]
    fn code_is_held_against_the_default_and_against_the_flag() {
        let code = |mib| Tried::taskmanager().uses(&[(Pool::CodeCache, mib)]);
        assert_eq!(code(230).finding(&CAUSE).title, "the code cache is 95 % full: 230.0 MiB of 240.0 MiB");
        assert!(code(60).finds(&CAUSE).is_empty());
        let flag = |word| code(60).command(&["java", word]);
        assert_eq!(flag("-XX:ReservedCodeCacheSize=64m").finds(&CAUSE).len(), 1);
        assert!(flag("-XX:ReservedCodeCacheSize=128m").finds(&CAUSE).is_empty());
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }
}
