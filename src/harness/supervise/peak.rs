//! Anonymous memory at most, and most of the time.

use crate::artefact::kernel_oom;
use crate::artefact::process_status::ProcessStatus;
use crate::model::Bytes;
use crate::repro::outcome::Moment;

/// The largest anonymous memory of a process, between the looks too: the kernel keeps the largest resident set (`VmHWM`),
/// and what of it was no anonymous memory is known from the looks before and after.
#[derive(Debug, Default)]
pub(super) struct Peak {
    most: Bytes,
    /// The largest resident set at the look before.
    resident: Bytes,
    /// File pages and shared memory at the look before.
    others: Bytes,
}

impl Peak {
    /// Takes in a look.
    pub(super) fn look(&mut self, status: &ProcessStatus) {
        self.saw(status.rss_anon.unwrap_or_default());
        let file = status.rss_file.unwrap_or_default().get();
        let others = Bytes::new(file.saturating_add(status.rss_shmem.unwrap_or_default().get()));
        if let Some(resident) = status.rss_peak.filter(|peak| *peak > self.resident) {
            // Reached since the look before: the larger of both is taken off, so that it is never too much.
            self.saw(resident.checked_sub(others.max(self.others)).unwrap_or_default());
            self.resident = resident;
        }
        self.others = others;
    }

    /// Takes in a size that was seen.
    pub(super) fn saw(&mut self, anonymous: Bytes) {
        self.most = self.most.max(anonymous);
    }

    /// Takes in what the kernel says of a process that it killed.
    pub(super) fn killed(&mut self, reports: &[String], pid: u32) {
        let killed = reports.iter().flat_map(|report| kernel_oom::reports(report)).flat_map(|report| report.killed);
        killed.filter(|killed| killed.pid == pid).filter_map(|killed| killed.anon).for_each(|anon| self.saw(anon));
    }

    pub(super) fn most(&self) -> Bytes {
        self.most
    }
}

/// The median of anonymous memory over the second half of the time.
pub(super) fn steady(moments: &[Moment]) -> Bytes {
    let half = moments.last().map_or(0, |last| last.millis / 2);
    let mut second: Vec<Bytes> =
        moments.iter().filter(|moment| moment.millis >= half).map(|moment| moment.anonymous).collect();
    second.sort_unstable();
    second.get(second.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn status(anon: u64, file: u64, peak: u64) -> ProcessStatus {
        let text = format!(
            "Name:\tx\nState:\tR\nPid:\t1\nUid:\t0\t0\t0\t0\nVmHWM:\t{peak} kB\nVmRSS:\t{} kB\nRssAnon:\t{anon} kB\n\
             RssFile:\t{file} kB\nRssShmem:\t0 kB\n",
            anon + file
        );
        ProcessStatus::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_peak_between_two_looks_is_known_from_the_kernels_mark() {
        let mut peak = Peak::default();
        peak.look(&status(100, 10, 110));
        peak.look(&status(100, 4, 510));
        assert_eq!(peak.most(), Bytes::kib(500));
    }

    #[test]
    fn file_pages_that_go_later_do_not_make_an_old_peak_larger() {
        let mut peak = Peak::default();
        peak.look(&status(100, 10, 510));
        peak.look(&status(100, 0, 510));
        assert_eq!(peak.most(), Bytes::kib(500));
    }

    #[test]
    fn what_the_kernel_says_of_the_dead_counts() {
        let mut peak = Peak::default();
        let report = "Memory cgroup out of memory: Killed process 9 (worker) total-vm:2052kB, anon-rss:1024kB, \
                      file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:44kB oom_score_adj:0\n";
        peak.killed(&[report.to_owned()], 8);
        assert_eq!(peak.most(), Bytes::ZERO);
        peak.killed(&[report.to_owned()], 9);
        assert_eq!(peak.most(), Bytes::mib(1));
    }

    #[test]
    fn most_of_the_time_is_the_median_of_the_second_half() {
        let moment = |(millis, mib)| Moment { millis, anonymous: Bytes::mib(mib), ..Moment::default() };
        let moments: Vec<Moment> = [(0, 1), (100, 2), (200, 9), (300, 7), (400, 8)].map(moment).to_vec();
        assert_eq!(steady(&moments), Bytes::mib(8));
        assert_eq!(steady(&[]), Bytes::ZERO);
    }
}
