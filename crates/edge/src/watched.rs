//! An answer that goes on: it ends when who watches it may not any more.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::HeaderMap;

/// How often it is asked whether somebody still may.
const AGAIN: Duration = Duration::from_secs(2);

/// The messages of an answer, for as long as somebody may have them.
pub(crate) struct Watched<F> {
    messages: Body,
    /// Why nobody may any more.
    ask: F,
    next: Instant,
    /// Only where there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl<F: FnMut() -> Result<(), Status> + Unpin> Watched<F> {
    /// The messages of an answer, of which `ask` says whether they may go on.
    pub(crate) fn new(messages: Body, ask: F) -> Self {
        Self { messages, ask, next: Instant::now() + AGAIN, timer: None, ended: false }
    }
}

impl<F: FnMut() -> Result<(), Status> + Unpin> http_body::Body for Watched<F> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let watched = &mut *self;
        while !watched.ended {
            let now = Instant::now();
            if now >= watched.next {
                watched.next = now + AGAIN;
                if let Some(timer) = &mut watched.timer {
                    timer.as_mut().reset(watched.next);
                }
                if let Err(status) = (watched.ask)() {
                    watched.ended = true;
                    let mut trailers = HeaderMap::new();
                    let said = status.add_header(&mut trailers);
                    return Poll::Ready(Some(said.map(|()| Frame::trailers(trailers))));
                }
            }
            if let Poll::Ready(frame) = Pin::new(&mut watched.messages).poll_frame(context) {
                return Poll::Ready(frame);
            }
            let next = watched.next;
            let timer = watched.timer.get_or_insert_with(|| Box::pin(sleep_until(next)));
            ready!(timer.as_mut().poll(context));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.messages.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.messages.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::sync::mpsc;
    use tokio_stream::wrappers::ReceiverStream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_may_not_go_on_whether_messages_come_or_not() {
        for busy in [false, true] {
            let (sender, receiver) = mpsc::channel::<Result<_, Status>>(4);
            let messages = StreamBody::new(ReceiverStream::new(receiver));
            let began = Instant::now();
            let may_until = began + 3 * AGAIN;
            let ask = move || {
                if Instant::now() < may_until { Ok(()) } else { Err(Status::unauthenticated("no")) }
            };
            let sending = tokio::spawn(async move {
                let message = || Ok(Frame::data(Bytes::from_static(b"m")));
                while sender.send(message()).await.is_ok() {
                    let pause = if busy { AGAIN / 7 } else { 100 * AGAIN };
                    tokio::time::sleep(pause).await;
                }
            });
            let mut watched = Watched::new(Body::new(messages), ask);
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
