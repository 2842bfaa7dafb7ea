//! The order in which a `java.util.HashMap` is walked: that in which Flink prints dynamic properties.

/// The indices of `keys` (distinct, in order of insertion) in the order in which a `HashMap` of them is walked.
///
/// The table starts with 16 buckets and doubles above three quarters full; a bucket is `(h ^ h >>> 16)` modulo the
/// table's size with `h` = `String.hashCode`; keys of one bucket keep their order of insertion.
pub fn iteration_order(keys: &[&str]) -> Vec<usize> {
    let mut capacity = 16usize;
    while keys.len() * 4 > capacity * 3 {
        capacity *= 2;
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_cached_key(|index| bucket(keys[*index], capacity));
    order
}

fn bucket(key: &str, capacity: usize) -> usize {
    let step = |h: u32, unit: u16| h.wrapping_mul(31).wrapping_add(u32::from(unit));
    let hash = if key.is_ascii() {
        key.bytes().fold(0, |h, byte| step(h, u16::from(byte)))
    } else {
        key.encode_utf16().fold(0, step)
    };
    (hash ^ hash >> 16) as usize & (capacity - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirteen_keys_double_the_table_and_reorder_it() {
        let keys = ["taskmanager.memory.network.min", "taskmanager.cpu.cores", "taskmanager.memory.managed.size"];
        let of = |order: Vec<usize>| order.iter().map(|i| keys[*i]).collect::<Vec<_>>();
        let small = of(iteration_order(&keys));
        assert_eq!(small, [keys[0], keys[2], keys[1]]);
        let many: Vec<String> = (0..10).map(|n| format!("filler{n}")).collect();
        let all: Vec<&str> = keys.iter().copied().chain(many.iter().map(String::as_str)).collect();
        let large: Vec<&str> = iteration_order(&all).iter().map(|i| all[*i]).filter(|k| keys.contains(k)).collect();
        assert_eq!(large, [keys[0], keys[1], keys[2]]);
    }
}
