//! What the command prints: for people and for programs.

mod answer;
mod format;
mod json;
pub(crate) mod readings;
mod tables;
mod text;
mod words;

pub(crate) use answer::Answer;
pub(crate) use format::Format;
pub(crate) use json::plan_json;
pub(crate) use tables::{front_rows, table};
pub(crate) use text::plan_text;
pub(crate) use words::{budgets_in_words, percent};
