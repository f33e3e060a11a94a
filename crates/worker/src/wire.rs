//! What an agent and its workers say to each other: one JSON object a line, each with the one key
//! that names it. Moments are nanoseconds of `CLOCK_MONOTONIC`, which all processes of a machine
//! share.

use serde::{Deserialize, Serialize};

/// The version of what is said here. A worker that speaks another is refused.
pub const PROTOCOL: u32 = 1;
/// No line is longer, with its end.
pub const LONGEST_LINE: usize = 64 << 10;
/// No more requests are told of in one line; more take several.
pub const MOST_ARRIVALS: usize = 1000;

/// Whether a worker trains or infers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It always has a next minibatch, and is given what the others leave.
    Train,
    /// It runs on requests that arrive.
    Infer,
}

/// What a worker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FromWorker {
    /// The first line: who it is.
    Attach {
        /// [`PROTOCOL`].
        protocol: u32,
        /// The name of the network that it runs, as in plans and profiles.
        workload: String,
        /// Whether it trains or infers.
        kind: Kind,
        /// The batch sizes that it can run, ascending.
        batch_sizes: Vec<u32>,
        /// Whether inference has samples of its own to be measured with. Training needs none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rehearses: bool,
        /// What tells this version of the network from others of the same name: at most 64 letters,
        /// digits, dots, hyphens and underscores; empty for none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        fingerprint: String,
        /// Whether requests need not wait for the end of a minibatch of training, because the
        /// system takes the device from it as soon as inference runs: it computes on the
        /// processor, in a process that yields it to every other.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        preemptible: bool,
        /// Whether inference can answer requests by itself in a turn that stands.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        stands: bool,
    },
    /// Requests arrived, at these moments.
    Arrived {
        /// When each did, in the order of arrival.
        at_ns: Vec<u64>,
    },
    /// Minibatches ran under a grant.
    Ran {
        /// The grant's id.
        grant: u64,
        /// The minibatches, in their order.
        minibatches: Vec<Minibatch>,
        /// Whether the turn is over: from now on the worker runs nothing until the next grant.
        done: bool,
    },
    /// Whether a training worker has a next minibatch at all; it is taken to have one until it says
    /// otherwise.
    Ready {
        /// Whether it has one.
        work: bool,
    },
}

/// One minibatch that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minibatch {
    /// When it began.
    pub began_ns: u64,
    /// When it had ended, with everything that it left to the device.
    pub ended_ns: u64,
    /// How many requests it answered, the oldest first; 0 in training.
    #[serde(default)]
    pub requests: u32,
}

/// A number of requests that a minibatch answers in a turn that stands.
///
/// A minibatch begins when as many wait as the first size has, or when the oldest has waited as long
/// as that bears. In a backlog it answers as many as the largest size that the oldest still bears, and
/// when that is late in any case, as many as the largest size of which there are enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// How many requests.
    pub requests: u32,
    /// How long the oldest may have waited when the minibatch begins.
    pub hold_ns: u64,
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FromAgent {
    /// The worker is attached.
    Welcome {
        /// Its number, which reports and logs name.
        worker: u64,
    },
    /// The worker cannot attach. The agent closes the connection.
    Refused {
        /// Why, and what would be right.
        reason: String,
    },
    /// What the plan in force wants of this worker; said again whenever that changes.
    Plan {
        /// The size of its minibatches: for training what to run, for inference the most that a
        /// minibatch will have.
        batch_size: u32,
        /// How long a request may take from its arrival to its answer; none where nothing was
        /// promised.
        latency_budget_ns: Option<u64>,
    },
    /// It is this worker's turn.
    Grant {
        /// Names the turn.
        id: u64,
        /// No minibatch may begin later than this; none for as long as the turn is not revoked.
        /// For training alone.
        start_until_ns: Option<u64>,
        /// At most so many minibatches; none for as many as fit.
        minibatches: Option<u32>,
        /// How many of the oldest requests to answer, in one minibatch; 0 in training.
        requests: u32,
    },
    /// It is this worker's turn until that is revoked: nobody else would have to make way, so that it
    /// answers requests by itself and says `ran`, without `done`, after every minibatch. Said again
    /// for the same turn when the sizes have changed. For inference that said that it stands.
    Stand {
        /// Names the turn.
        id: u64,
        /// How many requests a minibatch answers, ascending; one or more.
        sizes: Vec<Size>,
    },
    /// It is this worker's turn to be measured: it runs one minibatch of samples of its own making
    /// and says `ran` with no requests answered. For inference that said that it rehearses.
    Rehearse {
        /// Names the turn.
        id: u64,
        /// How many samples.
        requests: u32,
    },
    /// The turn is over at the end of the minibatch that runs. The worker says `ran` with `done`.
    Revoke {
        /// The turn's grant.
        id: u64,
    },
    /// So many of the oldest requests that wait will be answered too late.
    Late {
        /// How many.
        requests: u32,
    },
    /// The worker did not give its turn back in time; others go on without it. The agent closes the
    /// connection; the worker may attach again.
    Fenced {
        /// What it did not do.
        reason: String,
    },
}

/// A message as a line, with its end.
pub fn line<T: Serialize>(message: &T) -> Vec<u8> {
    // The messages are made of numbers, texts and lists, which can always be written.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Takes bytes as they come and gives them back as messages.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// Where the first line begins that was not given out yet.
    start: usize,
}

/// A line that is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It does not end.
    #[error("a line is longer than {LONGEST_LINE} bytes")]
    TooLong,
    /// It is not what can be said here.
    #[error("`{line}` is no message: {problem}")]
    Malformed {
        /// The line, or its beginning.
        line: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Lines {
    /// More bytes came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message.
    ///
    /// # Errors
    /// When the next line is no message. Nothing can be read after that.
    pub fn message<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>, BadLine> {
        loop {
            let rest = &self.bytes[self.start..];
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                return if rest.len() < LONGEST_LINE { Ok(None) } else { Err(BadLine::TooLong) };
            };
            let line = &rest[..end];
            self.start += end + 1;
            if line.len() >= LONGEST_LINE {
                return Err(BadLine::TooLong);
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return serde_json::from_slice(line).map(Some).map_err(|error| BadLine::Malformed {
                line: String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned(),
                problem: error.to_string(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages() -> Vec<FromWorker> {
        vec![
            FromWorker::Attach {
                protocol: PROTOCOL,
                workload: "resnet18".into(),
                kind: Kind::Train,
                batch_sizes: vec![16],
                rehearses: false,
                fingerprint: String::new(),
                preemptible: true,
                stands: false,
            },
            FromWorker::Attach {
                protocol: PROTOCOL,
                workload: "resnet18".into(),
                kind: Kind::Infer,
                batch_sizes: vec![1, 8],
                rehearses: true,
                fingerprint: "2b7e15".into(),
                preemptible: false,
                stands: true,
            },
            FromWorker::Arrived { at_ns: vec![1, u64::MAX] },
            FromWorker::Ran {
                grant: 7,
                minibatches: vec![Minibatch { began_ns: 1, ended_ns: 2, requests: 3 }],
                done: true,
            },
            FromWorker::Ready { work: false },
        ]
    }

    proptest! {
        #[test]
        fn messages_survive_however_their_bytes_are_cut(cuts in prop::collection::vec(1..40usize, 1..60)) {
            let sent = messages();
            let bytes: Vec<u8> = sent.iter().flat_map(line).collect();
            let mut lines = Lines::default();
            let mut got = Vec::new();
            let mut at = 0;
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(bytes.len());
                lines.push(&bytes[at..end]);
                at = end;
                while let Some(message) = lines.message::<FromWorker>().unwrap() {
                    got.push(message);
                }
                if at == bytes.len() {
                    break;
                }
            }
            prop_assert_eq!(got, sent);
        }

        #[test]
        fn whatever_comes_is_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut lines = Lines::default();
            lines.push(&bytes);
            while let Ok(Some(_)) = lines.message::<FromWorker>() {}
        }
    }

    #[test]
    fn a_line_that_does_not_end_is_refused() {
        let mut lines = Lines::default();
        lines.push(&vec![b'x'; LONGEST_LINE]);
        assert_eq!(lines.message::<FromWorker>(), Err(BadLine::TooLong));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut lines = Lines::default();
        lines.push(b"{\"ran\":{\"grant\":1,\"minibatches\":[]}}\n");
        let said = lines.message::<FromWorker>().unwrap_err().to_string();
        assert!(said.contains("missing field `done`"), "{said}");
    }

    #[test]
    fn the_lines_are_an_interface() {
        let text: Vec<String> =
            messages().iter().map(|m| String::from_utf8(line(m)).unwrap()).collect();
        assert_eq!(
            text.concat(),
            concat!(
                r#"{"attach":{"protocol":1,"workload":"resnet18","kind":"train","batch_sizes":[16],"preemptible":true}}"#,
                "\n",
                r#"{"attach":{"protocol":1,"workload":"resnet18","kind":"infer","batch_sizes":[1,8],"rehearses":true,"fingerprint":"2b7e15","stands":true}}"#,
                "\n",
                r#"{"arrived":{"at_ns":[1,18446744073709551615]}}"#,
                "\n",
                r#"{"ran":{"grant":7,"minibatches":[{"began_ns":1,"ended_ns":2,"requests":3}],"done":true}}"#,
                "\n",
                r#"{"ready":{"work":false}}"#,
                "\n",
            )
        );
    }
}
