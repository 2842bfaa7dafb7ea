"""The targets: how large each one's part of a campaign is, and where its program, corpus and archive lie."""

import os
import pathlib
import re
import subprocess

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent
CORPUS = FUZZ / "corpus"
ARTIFACTS = FUZZ / "artifacts"
CORPORA = FUZZ / "corpora"

# What libFuzzer calls the files of what it finds.
KINDS = ("crash-", "timeout-", "slow-unit-", "oom-")
# An input that takes longer than this on its own, in seconds of CPU, is a find.
SLOW = 2
# What each run of a target must keep to, whatever it is run for. libFuzzer tells of units from so many seconds on.
BOUNDS = ["-timeout=10", f"-report_slow_units={SLOW}", "-rss_limit_mb=2048"]

KIB = 1024
# The weight of each target, and the longest input that is made for it. A weight says how much there is to find: 8 is a whole
# run of a verb, 4 a large grammar, 2 a format of some dozen rules, 1 a few of them. Inputs are as long as is needed for what
# grows with the square of a length to be seen.
TARGETS = {
    "attach_reply": (1, 4 * KIB),
    "batch": (2, 16 * KIB),
    "cgroup": (1, 4 * KIB),
    "cgroup_listing": (1, 8 * KIB),
    "check": (8, 32 * KIB),
    "config_yaml": (4, 64 * KIB),
    "diagnose": (8, 64 * KIB),
    "digest": (2, 16 * KIB),
    "envelope": (2, 32 * KIB),
    "flink_conf": (1, 16 * KIB),
    "flink_log": (4, 64 * KIB),
    "flink_properties": (1, 16 * KIB),
    "flink_rest": (2, 32 * KIB),
    "gc_log": (2, 32 * KIB),
    "hs_err": (4, 32 * KIB),
    "hsperfdata": (2, 32 * KIB),
    "jcmd_text": (2, 32 * KIB),
    "job_plan": (2, 16 * KIB),
    "jvm_oom": (2, 64 * KIB),
    "kernel_oom": (2, 32 * KIB),
    "kubernetes_status": (4, 32 * KIB),
    "malloc_chunks": (4, 64 * KIB),
    "manifest": (4, 64 * KIB),
    "masking": (2, 32 * KIB),
    "native_death": (1, 16 * KIB),
    "nmt": (2, 32 * KIB),
    "plan": (8, 32 * KIB),
    "postmortem_metrics": (2, 32 * KIB),
    "prometheus": (2, 32 * KIB),
    "python_worker": (1, 32 * KIB),
    "recording": (4, 64 * KIB),
    "rocksdb_log": (4, 64 * KIB),
    "rocksdb_options": (4, 32 * KIB),
    "rocksdb_sst": (4, 64 * KIB),
    "rocksdb_traces": (4, 64 * KIB),
    "shell_script": (2, 16 * KIB),
    "smaps": (2, 32 * KIB),
    "sql_script": (2, 16 * KIB),
    "startup_log": (2, 16 * KIB),
    "systemd_oom": (1, 16 * KIB),
    "template": (2, 16 * KIB),
    "values": (1, 1 * KIB),
    "vm_info": (2, 32 * KIB),
    "workload": (2, 16 * KIB),
    "yarn_container": (2, 32 * KIB),
    "yarn_site": (1, 16 * KIB),
}


def agree():
    """Ends the script where the table, the manifest and the folder do not name the same targets."""
    declared = set(re.findall(r'path = "fuzz_targets/(\w+)\.rs"', (FUZZ / "Cargo.toml").read_text()))
    written = {path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs")}
    for name in sorted(written | declared | set(TARGETS)):
        for where, names in [("fuzz/fuzz_targets", written), ("fuzz/Cargo.toml", declared), ("fuzz/targets.py", TARGETS)]:
            if name not in names:
                raise SystemExit(f"{name} is not in {where}")


def build():
    """Compiles all targets, without a sanitizer: the few unsafe lines of oomph are in none of them."""
    subprocess.run(["cargo", "+nightly", "fuzz", "build", "--sanitizer", "none"], cwd=FUZZ, check=True)


def program(target):
    """Where cargo-fuzz puts the program of a target."""
    told = subprocess.run(["rustc", "+nightly", "-vV"], check=True, capture_output=True, text=True).stdout
    triple = re.search(r"^host: (.+)$", told, re.MULTILINE).group(1)
    return FUZZ / "target" / triple / "release" / target


def ended(child, options=0):
    """How a child ended, and the seconds of CPU that it took; nothing where it still runs. `options` are those of wait4."""
    pid, status, usage = os.wait4(child.pid, options)
    if pid == 0:
        return None
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime


def finds(target):
    """The files of what was found in a target."""
    folder = ARTIFACTS / target
    return sorted(path for path in folder.glob("*") if path.name.startswith(KINDS))
