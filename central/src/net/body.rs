//! A request body that must keep coming.
//!
//! Two limits: a floor of bytes per span of time (a peer that trickles is cut), and a total. What a handler sees is a
//! body error; it answers 400 or 413, and the connection is closed because its request was not read to the end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Limited;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::{ANY_BODY_BYTES_MAX, Limits};

/// The body reached the server too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the request body came too slowly: {received} bytes in the last {seconds} s")]
pub(super) struct TooSlow {
    received: u64,
    seconds: u64,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A body under both limits.
pub(super) fn guarded(body: Incoming, limits: &Limits) -> Limited<PacedBody> {
    Limited::new(PacedBody { body, limits: *limits, received: 0, window: None }, ANY_BODY_BYTES_MAX)
}

/// A body that fails when it comes too slowly.
pub(super) struct PacedBody {
    body: Incoming,
    limits: Limits,
    /// Bytes in the running window.
    received: u64,
    /// Starts when the handler first waits.
    window: Option<Pin<Box<Sleep>>>,
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame
                && let Some(data) = frame.data_ref()
            {
                self.received += data.len() as u64;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let span = self.limits.body_window;
        loop {
            let window = self.window.get_or_insert_with(|| Box::pin(sleep(span)));
            if window.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if self.received < self.limits.body_floor_bytes {
                let error = TooSlow { received: self.received, seconds: span.as_secs() };
                return Poll::Ready(Some(Err(error.into())));
            }
            self.received = 0;
            self.window = None;
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
