//! CEL expressions over one object.
//!
//! Each expression lives on a thread of its own with a deep stack: the interpreter recurses, and a
//! stack that overflows would end this program. Panics of the interpreter stay on that thread, too.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once, mpsc};
use std::thread;

use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError, Program};
use futures::executor::block_on;
use serde_json::Value;
use tokio::sync::oneshot;

/// Longest expression, in bytes. With [`STACK`] this bounds how deep the interpreter can recurse:
/// the worst of them, in a build without optimisation, needs less than half of it.
const LONGEST: usize = 2000;

/// Stack of the thread; only what is used of it is ever taken from memory.
const STACK: usize = 128 << 20;

/// Name of the threads.
const THREAD: &str = "probe expression";

/// Longest message of the interpreter that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// An expression that is ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Expression(mpsc::Sender<(Value, oneshot::Sender<Verdict>)>);

/// The result of an expression for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is true.
    True,
    /// It is false.
    False,
    /// It cannot be evaluated, for example because a field is not there.
    Failed(String),
    /// The value is neither true nor false.
    NoCondition(String),
    /// It names a variable or a function that does not exist, so it is never true.
    Undeclared(String),
}

/// The reason why an expression cannot be used at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is no CEL.
    #[error("it is not valid CEL: {0}")]
    Syntax(String),
    /// It is too long.
    #[error("it is {0} bytes long, at most {LONGEST} are allowed")]
    TooLong(usize),
    /// Nothing can be said about it.
    #[error("it cannot be compiled: {0}")]
    Thread(String),
}

impl Expression {
    /// Compiles it.
    ///
    /// # Errors
    /// When it is no CEL, or too long.
    pub async fn compile(text: &str) -> Result<Self, ExpressionError> {
        let (compiled, requests) = start(text)?;
        let done = compiled.await.unwrap_or_else(|_| Err(gone()));
        done.map(|()| Self(requests))
    }

    /// As [`Expression::compile`], where waiting for another thread is no harm.
    ///
    /// # Errors
    /// See there.
    pub(crate) fn compile_blocking(text: &str) -> Result<Self, ExpressionError> {
        block_on(Self::compile(text))
    }

    /// Evaluates it; `self` is the object.
    pub async fn evaluate(&self, object: &Value) -> Verdict {
        let (answer, verdict) = oneshot::channel();
        // If the thread is gone, so is `answer`, and with it the verdict.
        drop(self.0.send((object.clone(), answer)));
        verdict.await.unwrap_or_else(|_| died())
    }

    /// As [`Expression::evaluate`], where waiting for another thread is no harm.
    pub(crate) fn evaluate_blocking(&self, object: &Value) -> Verdict {
        block_on(self.evaluate(object))
    }
}

type Compiled = oneshot::Receiver<Result<(), ExpressionError>>;
type Requests = mpsc::Sender<(Value, oneshot::Sender<Verdict>)>;

fn start(text: &str) -> Result<(Compiled, Requests), ExpressionError> {
    if text.len() > LONGEST {
        return Err(ExpressionError::TooLong(text.len()));
    }
    keep_panics_silent();
    let (text, (compiled, done)) = (text.to_owned(), oneshot::channel());
    let (requests, received) = mpsc::channel();
    let work = move || serve(&text, compiled, &received);
    let builder = thread::Builder::new().name(THREAD.to_owned()).stack_size(STACK);
    builder.spawn(work).map_err(|error| ExpressionError::Thread(error.to_string()))?;
    Ok((done, requests))
}

/// The life of a thread: compile once, then evaluate until nobody can ask any more.
fn serve(
    text: &str,
    compiled: oneshot::Sender<Result<(), ExpressionError>>,
    requests: &mpsc::Receiver<(Value, oneshot::Sender<Verdict>)>,
) {
    let env = Arc::new(Env::stdlib());
    let program = match catch_unwind(AssertUnwindSafe(|| env.compile(text))) {
        Ok(Ok(program)) => program,
        Ok(Err(errors)) => {
            let first = errors.errors.first().map(ToString::to_string).unwrap_or_default();
            return drop(compiled.send(Err(ExpressionError::Syntax(brief(&first)))));
        }
        Err(_) => return drop(compiled.send(Err(gone()))),
    };
    if compiled.send(Ok(())).is_err() {
        return;
    }
    for (object, answer) in requests {
        let verdict = catch_unwind(AssertUnwindSafe(|| judge(&program, &env, &object)));
        drop(answer.send(verdict.unwrap_or_else(|_| died())));
    }
}

fn judge(program: &Program, env: &Arc<Env>, object: &Value) -> Verdict {
    let mut context = Context::with_env(Arc::clone(env));
    context.add_variable_from_value("self", to_cel(object));
    match program.execute(&context) {
        Ok(cel::Value::Bool(true)) => Verdict::True,
        Ok(cel::Value::Bool(false)) => Verdict::False,
        Ok(other) => {
            Verdict::NoCondition(format!("its value is {}, not true or false", word(&other)))
        }
        Err(error @ ExecutionError::UndeclaredReference(_)) => {
            Verdict::Undeclared(brief(&error.to_string()))
        }
        Err(error) => Verdict::Failed(brief(&error.to_string())),
    }
}

/// Integers become `int`, as in the rules of Kubernetes, so that they compare with literals.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => number
            .as_i64()
            .map(cel::Value::Int)
            .or_else(|| number.as_u64().map(cel::Value::UInt))
            .unwrap_or_else(|| cel::Value::Float(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                (Key::String(Arc::new(name.clone())), to_cel(value))
            };
            cel::Value::Map(Map {
                map: Arc::new(fields.iter().map(field).collect::<HashMap<_, _>>()),
            })
        }
    }
}

fn word(value: &cel::Value) -> &'static str {
    match value {
        cel::Value::Null => "null",
        cel::Value::Int(_) | cel::Value::UInt(_) | cel::Value::Float(_) => "a number",
        cel::Value::String(_) => "a string",
        cel::Value::List(_) => "a list",
        cel::Value::Map(_) => "a map",
        _ => "a value of another type",
    }
}

/// One line, not too long: the interpreter likes to print whole objects and drawings.
fn brief(message: &str) -> String {
    let message = message.strip_prefix("ERROR: <input>:").unwrap_or(message);
    let line = message.lines().next().unwrap_or_default();
    let mut text: String = line.chars().take(LONGEST_MESSAGE).collect();
    if text.len() < line.len() {
        text.push('…');
    }
    text
}

fn gone() -> ExpressionError {
    ExpressionError::Thread("the CEL compiler panicked".to_owned())
}

fn died() -> Verdict {
    Verdict::Failed("the CEL interpreter panicked".to_owned())
}

/// A panic of the interpreter is a verdict; it must not be printed into somebody's progress bar.
fn keep_panics_silent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if thread::current().name() == Some(THREAD) {
                tracing::debug!("{panic}");
            } else {
                others(panic);
            }
        }));
    });
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
