//! Swipe terminals with keys and a small display, on a serial port: the framed protocol of Hufu.
//!
//! One frame, both ways: **STX length body ETX LRC**; the body is a sequence digit `0`-`9`, a command letter, and data.
//! Each frame is answered by one byte, ACK (06) or NAK (15). Whoever hears NAK, or nothing for
//! [`link::ACK_WAIT_MS`], sends the same frame again, at most [`link::TRIES_MAX`] times; a frame with the sequence
//! digit of the one before is acknowledged and not taken twice.
//!
//! | part | dialect `binary` | dialect `ascii` |
//! | --- | --- | --- |
//! | STX, ETX | 02, 03 | 02, 03 |
//! | length of the body | one byte, 2 to 250 | three decimal digits, `002` to `250` |
//! | text of a prompt | UTF-8 | UTF-8 as hexadecimal digits, so that seven bits suffice |
//! | LRC: exclusive or from length to ETX, both included | one byte | two hexadecimal digits, capitals |
//!
//! | from | command | data |
//! | --- | --- | --- |
//! | terminal | `R` ready, after power-up and as the answer to `Q` | its model, ASCII |
//! | terminal | `T` tracks of a stripe | as ISO 7813 readers send them: `%…?;…?` |
//! | terminal | `S` a stripe was pulled, but not read | none |
//! | terminal | `K` a key | `0`-`9`, `E` Enter, `C` clear, `X` cancel |
//! | terminal | `A` an amount, confirmed by its user | digits, in the smallest unit of money |
//! | us | `P` prompt | line `1`-`4`, then its text |
//! | us | `B` beep | `1` accepted, `2` refused, `3` attention |
//! | us | `Q` are you there | none |
//!
//! [`frame`] cuts bytes into frames, [`link`] is one end of the line with its retries, [`keypad`] makes numbers of keys
//! (all pure), [`source`] holds the thread that owns the port.

pub mod frame;
pub mod keypad;
pub mod link;
pub mod source;

pub use frame::Dialect;
pub use source::{FramedDesk, FramedSource};
