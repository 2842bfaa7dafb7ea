//! `/proc/PID/smaps`: every mapping of a process with what of it is resident.
