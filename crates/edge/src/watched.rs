//! An answer that goes on: it ends when who watches it may not any more.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::codegen::Bytes;
use tonic::codegen::http::HeaderMap;

/// How often it is asked whether somebody still may.
const AGAIN: Duration = Duration::from_secs(2);

/// An answer, for as long as somebody may have it.
pub(crate) struct Watched<B, F> {
    answer: B,
    /// Whether they may; where not, the trailers to end with.
    ask: F,
    next: Instant,
    /// Only where there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl<B, F> Watched<B, F>
where
    B: Body<Data = Bytes> + Unpin,
    F: FnMut() -> Result<(), HeaderMap> + Unpin,
{
    /// An answer of which `ask` says whether it may go on, and else with which trailers it ends.
    pub(crate) fn new(answer: B, ask: F) -> Self {
        Self { answer, ask, next: Instant::now() + AGAIN, timer: None, ended: false }
    }
}

impl<B, F> Body for Watched<B, F>
where
    B: Body<Data = Bytes> + Unpin,
    F: FnMut() -> Result<(), HeaderMap> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let watched = &mut *self;
        while !watched.ended {
            let now = Instant::now();
            if now >= watched.next {
                watched.next = now + AGAIN;
                if let Some(timer) = &mut watched.timer {
                    timer.as_mut().reset(watched.next);
                }
                if let Err(trailers) = (watched.ask)() {
                    watched.ended = true;
                    // HTTP/1 has no trailers as a rule, and does not end with those that it cannot say.
                    let last = Some(trailers).filter(|trailers| !trailers.is_empty());
                    return Poll::Ready(last.map(|trailers| Ok(Frame::trailers(trailers))));
                }
            }
            if let Poll::Ready(frame) = Pin::new(&mut watched.answer).poll_frame(context) {
                return Poll::Ready(frame);
            }
            let next = watched.next;
            let timer = watched.timer.get_or_insert_with(|| Box::pin(sleep_until(next)));
            ready!(timer.as_mut().poll(context));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::sync::mpsc;
    use tokio_stream::wrappers::ReceiverStream;
    use tonic::Status;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_may_not_go_on_whether_messages_come_or_not() {
        for busy in [false, true] {
            let (sender, receiver) = mpsc::channel::<Result<_, Status>>(4);
            let messages = StreamBody::new(ReceiverStream::new(receiver));
            let began = Instant::now();
            let may_until = began + 3 * AGAIN;
            let mut no = HeaderMap::new();
            Status::unauthenticated("no").add_header(&mut no).unwrap();
            let ask = move || {
                if Instant::now() < may_until { Ok(()) } else { Err(no.clone()) }
            };
            let sending = tokio::spawn(async move {
                let message = || Ok(Frame::data(Bytes::from_static(b"m")));
                while sender.send(message()).await.is_ok() {
                    let pause = if busy { AGAIN / 7 } else { 100 * AGAIN };
                    tokio::time::sleep(pause).await;
                }
            });
            let mut watched = Watched::new(messages, ask);
            let mut messages = 0;
            let trailers = loop {
                match watched.frame().await.unwrap().unwrap().into_trailers() {
                    Ok(trailers) => break trailers,
                    Err(_) => messages += 1,
                }
            };
            assert_eq!(Status::from_header_map(&trailers).unwrap().message(), "no");
            assert!(began.elapsed() < 5 * AGAIN, "{:?}", began.elapsed());
            assert!(messages >= if busy { 21 } else { 1 }, "{messages}");
            assert!(watched.frame().await.is_none(), "nothing follows");
            sending.abort();
        }
    }
}
