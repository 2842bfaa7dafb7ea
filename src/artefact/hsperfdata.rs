//! The performance data that HotSpot keeps in a file, `hsperfdata_USER/PID`.
