//! Option keys that know the type of their value, checked against the profiles when oomph is compiled.

use std::marker::PhantomData;

use super::profile::{KEYS, OptionKind};

/// The name of an option whose value has the type `T` (one of the markers in this module).
pub struct Key<T> {
    name: &'static str,
    index: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

/// A `MemorySize`.
pub struct Size;
/// A 32-bit float.
pub struct Float;
/// A 64-bit float.
pub struct Double;
/// A 32-bit integer.
pub struct Int;
/// true or false.
pub struct Boolean;
/// A text.
pub struct Text;
/// A list of texts.
pub struct List;
/// A map of texts.
pub struct Map;

/// The marker's place among the types of the profiles.
pub trait Kind {
    /// The same type in a profile's row.
    const KIND: OptionKind;
}

macro_rules! kinds {
    ($($marker:ident => $kind:ident),*) => { $(impl Kind for $marker { const KIND: OptionKind = OptionKind::$kind; })* };
}
kinds!(Size => Size, Float => Float, Double => Double, Int => Int, Boolean => Boolean, Text => String, List => List, Map => Map);

impl<T> Key<T> {
    /// A key that some profile has; any other name does not compile.
    pub(crate) const fn new(name: &'static str) -> Key<T> {
        Key { name, index: index_of(name), kind: PhantomData }
    }

    /// The option's name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Where the option stands in every profile.
    pub(crate) const fn index(self) -> usize {
        self.index
    }
}

const fn index_of(name: &str) -> usize {
    let (mut low, mut high) = (0, KEYS.len());
    while low < high {
        let middle = (low + high) / 2;
        match compare(KEYS[middle].as_bytes(), name.as_bytes()) {
            0 => return middle,
            1 => high = middle,
            _ => low = middle + 1,
        }
    }
    #[expect(clippy::panic, reason = "evaluated by the compiler: it fails the build")]
    {
        panic!("no profile in profiles/flink has this option")
    }
}

/// 0 when equal, 1 when `a` comes behind `b`, 2 when it comes before.
const fn compare(a: &[u8], b: &[u8]) -> u8 {
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return if a[at] > b[at] { 1 } else { 2 };
        }
        at += 1;
    }
    if a.len() == b.len() {
        0
    } else if a.len() > b.len() {
        1
    } else {
        2
    }
}
