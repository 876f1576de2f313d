//! The way to the centre without a network: an exchange as a value, for whoever carries it.
//!
//! A lane over a [`Pipe`] stops where it would wait for the centre; the holder of the other end takes the request, and
//! gives an answer, a broken line, or nothing at all. So the simulator steps the very lanes that ship, in an order and
//! at times of its own, and decides what gets lost. Out of scope: time limits, which are the carrier's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use axum::http::{Request, Response};

use super::client::CentreError;

/// One exchange at a time between a lane and whoever carries its messages. Clones are ends of the same pipe.
#[derive(Debug, Clone, Default)]
pub struct Pipe {
    exchange: Arc<Mutex<Exchange>>,
}

#[derive(Debug, Default)]
struct Exchange {
    asked: Option<Request<Vec<u8>>>,
    answer: Option<Result<Response<Vec<u8>>, CentreError>>,
}

impl Pipe {
    /// What the lane asks, once.
    #[must_use]
    pub fn take(&self) -> Option<Request<Vec<u8>>> {
        self.exchange().asked.take()
    }

    /// Ends the exchange; the lane goes on when it is polled next.
    pub fn answer(&self, answer: Result<Response<Vec<u8>>, CentreError>) {
        self.exchange().answer = Some(answer);
    }

    /// Asks and waits. The waiting is found out by polling, never by being woken.
    pub(super) async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, CentreError> {
        *self.exchange() = Exchange { asked: Some(request), answer: None };
        std::future::poll_fn(|_| self.exchange().answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        // Every change under the lock is one assignment.
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn a_lane_stops_at_the_pipe_and_goes_on_with_the_answer() {
        let pipe = Pipe::default();
        let mut asking = pin!(pipe.ask(Request::new(vec![1])));
        let mut context = Context::from_waker(Waker::noop());
        assert!(asking.as_mut().poll(&mut context).is_pending());
        assert_eq!(pipe.take().map(|asked| asked.into_body()), Some(vec![1]));
        assert!(pipe.take().is_none(), "an exchange is asked once");
        assert!(asking.as_mut().poll(&mut context).is_pending());
        pipe.answer(Ok(Response::new(vec![2])));
        let Poll::Ready(Ok(answer)) = asking.as_mut().poll(&mut context) else { panic!("answered") };
        assert_eq!(answer.into_body(), vec![2]);
    }
}
