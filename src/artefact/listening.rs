//! Sockets that wait for connections: `/proc/PID/net/tcp` and `tcp6` (`Documentation/networking/proc_net_tcp.rst`).

/// The state of a socket that listens, `TCP_LISTEN` in `include/net/tcp_states.h`.
const LISTENING: &str = "0A";

/// Ports of listening sockets with the inodes of the sockets; lines that are not as the kernel writes them are left out.
pub fn listening(text: &str) -> Vec<(u16, u64)> {
    let line = |line: &str| {
        // sl local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode
        let mut words = line.split_whitespace().skip(1);
        let (_, port) = words.next()?.rsplit_once(':')?;
        let state = words.nth(1)?;
        let inode = words.nth(5)?.parse().ok()?;
        (state == LISTENING).then_some((u16::from_str_radix(port, 16).ok()?, inode))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_are_told_from_connected_ones() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                    0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17001 1 0\n   \
                    1: 0100007F:1F92 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 17002 1 0\nx\n";
        assert_eq!(listening(text), [(0x1f91, 17001)]);
        let six =
            "   0: 00000000000000000000000000000000:6DB1 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 5 1";
        assert_eq!(listening(six), [(0x6db1, 5)]);
    }
}
