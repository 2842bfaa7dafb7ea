//! A configuration that Flink refuses, in Flink's own words, and what oomph knows about the reason.

use std::fmt;

use crate::flink::java::NumberFormatError;
use crate::model::{Figure, FlinkSizeError, Place, Term};

/// The Java exceptions that a derivation may end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionClass {
    /// `org.apache.flink.configuration.IllegalConfigurationException`.
    IllegalConfiguration,
    /// `java.lang.IllegalArgumentException`.
    IllegalArgument,
    /// `java.lang.NumberFormatException`.
    NumberFormat,
    /// `java.lang.ArithmeticException`.
    Arithmetic,
    /// `java.lang.IllegalStateException`.
    IllegalState,
    /// `java.lang.RuntimeException`.
    Runtime,
    /// Not an exception: Flink 1.9's start script ends with this message and exit code 1.
    StartScript,
}

impl ExceptionClass {
    /// The class without its package.
    pub fn name(self) -> &'static str {
        match self {
            ExceptionClass::IllegalConfiguration => "IllegalConfigurationException",
            ExceptionClass::IllegalArgument => "IllegalArgumentException",
            ExceptionClass::NumberFormat => "NumberFormatException",
            ExceptionClass::Arithmetic => "ArithmeticException",
            ExceptionClass::IllegalState => "IllegalStateException",
            ExceptionClass::Runtime => "RuntimeException",
            ExceptionClass::StartScript => "taskmanager.sh",
        }
    }
}

/// One exception of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its class.
    pub class: ExceptionClass,
    /// Its message.
    pub message: String,
}

/// What stands behind a rejection, for a table or a hint.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A value that cannot be read.
    BadValue(BadValue),
    /// Parts that are larger than what they must fit in.
    DoesNotFit {
        /// The parts.
        parts: Vec<Term>,
        /// What they must fit in.
        whole: Term,
    },
    /// Parts that must add up to a total exactly, and do not.
    DoesNotAddUp {
        /// The parts.
        parts: Vec<Term>,
        /// The total.
        whole: Term,
    },
    /// A remainder outside of its configured range.
    OutOfRange {
        /// What is left.
        rest: Term,
        /// What it is left of.
        whole: Term,
        /// What else is in there.
        parts: Vec<Term>,
        /// The least it may be.
        min: Box<Figure>,
        /// The most it may be.
        max: Box<Figure>,
    },
    /// None of the totals from which a derivation starts is set.
    NoTotal {
        /// The keys of which one must be set.
        keys: Vec<&'static str>,
    },
}

/// A setting whose value has not the form that its option wants.
#[derive(Clone, Debug, PartialEq)]
pub struct BadValue {
    /// The key as written.
    pub key: String,
    /// The value as written.
    pub value: String,
    /// Where.
    pub place: Place,
    /// What would be accepted.
    pub accepted: &'static str,
}

/// Why Flink does not start: an exception, its causes, and what oomph knows about the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The outermost exception.
    pub exception: Exception,
    /// The exceptions below it, outermost first.
    pub causes: Vec<Exception>,
    /// What stands behind it.
    pub reason: Option<Reason>,
}

/// What a derivation gives, or why Flink would not start.
pub type Outcome<T> = Result<T, Box<Rejection>>;

impl Rejection {
    /// An exception without a cause.
    pub fn new(class: ExceptionClass, message: impl Into<String>) -> Box<Rejection> {
        let exception = Exception { class, message: message.into() };
        Box::new(Rejection { exception, causes: Vec::new(), reason: None })
    }

    /// An `IllegalConfigurationException`.
    pub fn illegal_configuration(message: impl Into<String>) -> Box<Rejection> {
        Self::new(ExceptionClass::IllegalConfiguration, message)
    }

    /// An `IllegalArgumentException`.
    pub fn illegal_argument(message: impl Into<String>) -> Box<Rejection> {
        Self::new(ExceptionClass::IllegalArgument, message)
    }

    /// The same with what stands behind it.
    pub fn because(mut self: Box<Self>, reason: Reason) -> Box<Rejection> {
        self.reason = Some(reason);
        self
    }

    /// This rejection as the cause of another exception.
    #[expect(clippy::boxed_local, reason = "rejections travel boxed")]
    pub fn wrapped(self: Box<Self>, class: ExceptionClass, message: impl Into<String>) -> Box<Rejection> {
        let Rejection { exception, causes, reason } = *self;
        let causes = std::iter::once(exception).chain(causes).collect();
        Box::new(Rejection { exception: Exception { class, message: message.into() }, causes, reason })
    }

    /// Whether Flink itself says so; otherwise Flink accepts what oomph has no budget for.
    pub fn is_flinks(&self) -> bool {
        !self.exception.message.starts_with("oomph: ")
    }

    /// Whether it is an `IllegalConfigurationException`: only those are wrapped on their way up.
    pub fn is_illegal_configuration(&self) -> bool {
        self.exception.class == ExceptionClass::IllegalConfiguration
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.exception.class.name(), self.exception.message)
    }
}

impl From<FlinkSizeError> for Box<Rejection> {
    fn from(error: FlinkSizeError) -> Box<Rejection> {
        let class = match error {
            FlinkSizeError::NoNumber => ExceptionClass::NumberFormat,
            _ => ExceptionClass::IllegalArgument,
        };
        Rejection::new(class, error.to_string())
    }
}

impl From<NumberFormatError> for Box<Rejection> {
    fn from(error: NumberFormatError) -> Box<Rejection> {
        Rejection::new(ExceptionClass::NumberFormat, error.to_string())
    }
}

impl From<crate::flink::fraction::LongOverflow> for Box<Rejection> {
    fn from(error: crate::flink::fraction::LongOverflow) -> Box<Rejection> {
        Rejection::new(ExceptionClass::Arithmetic, error.to_string())
    }
}
