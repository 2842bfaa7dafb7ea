//! The command line.
fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    oomph::cli::batch::run(std::io::stdin().lock(), &mut out)
}
