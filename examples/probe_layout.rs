use oomph::artefact::smaps;
use oomph::diagnose::{
    account::Account,
    layout::{self, Hints},
};
fn main() {
    let mut a = std::env::args().skip(1);
    let f = a.next().unwrap();
    let xmx: u64 = a.next().unwrap().parse().unwrap();
    let ccs: u64 = a.next().unwrap().parse().unwrap();
    let meta = a.next().and_then(|m| m.parse().ok());
    let s = smaps::parse(&std::fs::read(f).unwrap()).unwrap();
    let p = layout::place(
        &s,
        &Hints { max_heap: Some(xmx), class_space: vec![ccs], metaspace_committed: meta, ..Hints::default() },
    );
    for e in Account::of_mappings(&s, &p).entries() {
        println!("{:<22}{:>10.2} {:?}", e.pool.key(), e.bytes.get() as f64 / 1048576.0, e.basis);
    }
    if a.next().is_some() {
        for (m, p) in s.mappings.iter().zip(&p) {
            println!(
                "{:x}-{:x} {:>8}K rss {:>7}K {:?} {:?} {}",
                m.start,
                m.end,
                m.size() >> 10,
                m.rss >> 10,
                p.kind,
                p.basis,
                m.name
            );
        }
    }
}
