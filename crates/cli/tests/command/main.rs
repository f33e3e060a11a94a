//! The command from outside: what it prints, how it ends, what it says of bad input.

mod arguments;
mod bad_tables;
#[path = "../../../board/tests/measured/mod.rs"]
mod measured;
mod measured_tables;
mod printed;
mod running;
mod small_board;
