//! OOM7xx: state and checkpoints.

use crate::check::rule::catalogue;

catalogue! {
    oom701_heap_state_too_large,
    oom702_incremental_off,
    oom703_changelog_on_heap,
    oom704_recovery_on_heap,
    oom705_retained_checkpoints,
    oom706_jobmanager_storage,
    oom707_checkpoint_contradiction,
    oom708_inline_state,
    oom709_checkpoint_write_buffer,
    oom710_changelog_in_flight,
    oom711_checkpoint_value_refused,
    oom712_unknown_backend,
    oom713_checkpoint_directory,
    oom714_checkpoints_in_batch,
}

mod checkpointing;
