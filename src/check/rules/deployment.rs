//! OOM5xx: containers, pods, volumes and YARN.

use crate::check::rule::catalogue;

catalogue! {
    oom501_limit_below_process,
    oom502_limit_factor,
    oom503_sidecar_without_limit,
    oom504_memory_volume,
    oom505_request_below_limit,
    oom506_yarn_vmem_check,
    oom507_yarn_allocation_rounding,
    oom508_page_cache_headroom,
    oom509_hostpath_temporary,
    oom510_emptydir_on_system_disk,
    oom511_yarn_assign_multiple,
    oom512_image_version_mismatch,
    oom514_yarn_pmem,
    oom515_resource_in_podtemplate,
    oom516_python_unbudgeted,
}

mod temporary_directories;
mod total;
mod visible;
mod yarn_property;
