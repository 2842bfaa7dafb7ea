//! Every cause, a file each: page, code and tests. A newcomer adds one by copying a neighbour and adding its name here.

mod flags;
#[cfg(test)]
mod left;
mod marks;
mod room;
mod store_bound;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tried;

use jiff::SignedDuration;

use super::cause::{Cause, Outlook, catalogue};
use crate::model::{Bytes, Finding, Severity};

catalogue! {
    oom901_allocator_retention,
    oom902_rocksdb_over_managed,
    oom903_limit_below_plan,
    oom904_container_limit_near,
    oom905_page_cache_full,
    oom906_tmpfs_counts,
    oom907_metaspace_near_limit,
    oom908_heap_full,
    oom909_threads_near_limit,
    oom910_mappings_near_limit,
    oom911_other_processes,
    oom912_overhead_exceeded,
    oom913_direct_near_limit,
    oom914_swapped_out,
    oom915_huge_pages_always,
    oom916_slowed_down,
    oom917_killed_before,
    oom918_native_growth_outside_rocksdb,
    oom919_code_cache_full,
    oom920_flags_differ,
    oom921_rocksdb_memory_unmanaged,
    oom930_rocksdb_stalled,
    oom931_rocksdb_read_bound,
    oom932_rocksdb_flush_bound,
    oom933_rocksdb_compaction_bound,
    oom940_container_limit,
    oom941_yarn_physical_limit,
    oom942_yarn_virtual_limit,
    oom943_yarn_elastic_control,
    oom944_node_out_of_memory,
    oom945_evicted_for_memory,
    oom946_systemd_oomd,
    oom947_heap_exhausted,
    oom948_metaspace_exhausted,
    oom949_class_space_exhausted,
    oom950_direct_exhausted,
    oom951_threads_exhausted,
    oom952_native_allocation_failed,
    oom953_mappings_exhausted,
    oom954_no_room_outside_heap,
    oom955_configuration_refused,
    oom956_too_few_network_buffers,
    oom957_managed_memory_short,
    oom958_fatal_exit,
    oom959_python_worker_killed,
    oom960_python_memory_error,
    oom961_latency_histograms,
    oom962_containers_beyond_need,
    oom963_heap_state_surge,
    oom964_kernel_memory,
    oom965_disk_full,
    oom966_ended_otherwise,
    oom967_ended_without_reason,
    oom968_arena_block_too_large,
    oom969_crash_not_memory,
    oom970_checkpoints_expired,
    oom971_process_limit,
}

/// A cause that is left out where another says the same and says more of it.
struct SaidBy {
    general: &'static str,
    specific: &'static str,
    /// Whether the general finding holds nothing beyond the specific one.
    is_the_same: fn(&Finding) -> bool,
}

/// Every pair that may be about the same bytes.
const SAID_BY: &[SaidBy] = &[
    // Retained memory alone passes the budget.
    SaidBy { general: "OOM912", specific: "OOM901", is_the_same: |general| general.severity == Severity::Note },
    // A plan that is above the limit by itself stays a fault of its own.
    SaidBy { general: "OOM903", specific: "OOM911", is_the_same: |general| general.severity < Severity::Error },
    SaidBy { general: "OOM902", specific: "OOM921", is_the_same: |_| true },
    SaidBy { general: "OOM918", specific: "OOM921", is_the_same: |_| true },
];

/// What all causes see coming, the worst first.
pub fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = CAUSES.iter().flat_map(|cause| (cause.early)(outlook)).collect();
    leave_out_what_is_said(&mut found);
    found.sort_by_key(|finding| {
        (std::cmp::Reverse(finding.severity), std::cmp::Reverse(finding.confidence), finding.code)
    });
    found
}

fn leave_out_what_is_said(found: &mut Vec<Finding>) {
    let codes: Vec<&str> = found.iter().map(|finding| finding.code).collect();
    found.retain(|finding| {
        !SAID_BY
            .iter()
            .any(|pair| pair.general == finding.code && codes.contains(&pair.specific) && (pair.is_the_same)(finding))
    });
}

/// The cause of a code in any case, or of a name.
pub fn by_code_or_name(text: &str) -> Option<&'static Cause> {
    CAUSES.iter().copied().find(|cause| cause.code.eq_ignore_ascii_case(text) || cause.name == text)
}

/// A cause's page as a document: `docs/causes/OOM901.md`.
pub fn document(cause: &Cause) -> String {
    let page: Vec<&str> = cause.page.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    format!("# {} {}\n\n{}\n", cause.code, cause.name, page.join("\n").trim_end())
}

/// A size in a sentence.
fn mib(bytes: Bytes) -> String {
    let tenths = (u128::from(bytes.get()) * 10 + (1 << 19)) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// A part of something, in thousandths, rounded down; nothing of nothing.
fn permille(part: u64, whole: u64) -> Option<u64> {
    let share = u128::from(part) * 1000 / u128::from(Some(whole).filter(|whole| *whole > 0)?);
    u64::try_from(share).ok()
}

/// Thousandths in a sentence.
fn percent(permille: u64) -> String {
    format!("{} %", permille / 10)
}

/// A duration in a sentence, in two units at most.
fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (days @ 2.., hours, _) => format!("{days} d {} h", hours % 24),
        (_, hours @ 1.., minutes) => format!("{hours} h {} min", minutes % 60),
        (_, _, minutes @ 1..) => format!("{minutes} min"),
        _ => format!("{seconds} s"),
    }
}
