//! The seam for user code: what an app is, and how a worker gets one.

use std::error::Error;
use std::future::Future;
use std::task::{Context as TaskContext, Poll};

use brigade_shared::id::{Generation, SlotId};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::body::RequestBody;
use crate::failure::StartError;
use crate::hooks::Hooks;

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a worker tells the factory that builds its app, and what it can be asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    slot: SlotId,
    generation: Generation,
    hooks: Hooks,
}

impl Context {
    /// For a worker in this slot.
    #[must_use]
    pub fn new(slot: SlotId, generation: Generation) -> Self {
        let hooks = Hooks::default();
        Self {
            slot,
            generation,
            hooks,
        }
    }

    /// Asks for something to be done when the worker leaves: flush, say goodbye to a database. It
    /// is run when the last connection has ended or was cut, the one that was asked for last first,
    /// and also if the app could not be built in the end. All hooks together have
    /// `--timeout-hooks`; a worker that crashes runs none.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use std::rc::Rc;
    /// use brigade_worker::{App, Context, service_fn};
    /// use bytes::Bytes;
    /// use http::Response;
    /// use http_body_util::Full;
    ///
    /// struct Pool;
    /// impl Pool {
    ///     async fn connect() -> Result<Self, std::io::Error> { Ok(Self) }
    ///     async fn close(&self) {}
    /// }
    ///
    /// async fn app(context: Context) -> Result<impl App, std::io::Error> {
    ///     let pool = Rc::new(Pool::connect().await?);
    ///     let last = Rc::clone(&pool);
    ///     context.at_stop(move || async move { last.close().await });
    ///     Ok(service_fn(move |_request| {
    ///         let _pool = Rc::clone(&pool);
    ///         async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello"))) }
    ///     }))
    /// }
    /// ```
    pub fn at_stop<F>(&self, hook: impl FnOnce() -> F + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.hooks.add(hook);
    }

    pub(crate) fn hooks(&self) -> Hooks {
        self.hooks.clone()
    }

    /// The slot that the worker fills, from 0: the same for its replacement after a crash.
    #[must_use]
    pub fn slot(&self) -> u16 {
        self.slot.0
    }

    /// The generation that it belongs to: 1 at first, one more with each reload.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation.0
    }
}

/// Something that answers requests: any [`tower_service::Service`] of [`http`]'s types that can be
/// cloned, an axum `Router` for example. It need not be `Send`: a worker has one thread.
///
/// There is nothing to implement here; this names the bounds in one place.
pub trait App: Clone + 'static {
    /// The body of a response.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + 'static;
    /// What may come instead of a response: logged and answered with 500.
    type Error: Into<BoxError>;
    /// The work on one request.
    type Answering: Future<Output = Result<Response<Self::Body>, Self::Error>> + 'static;

    /// Whether it takes a request now.
    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>>;

    /// Begins to answer a request.
    fn answer(&mut self, request: Request<RequestBody>) -> Self::Answering;
}

impl<S, B> App for S
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + 'static,
    S::Error: Into<BoxError>,
    S::Future: 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    type Body = B;
    type Error = S::Error;
    type Answering = S::Future;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        Service::poll_ready(self, task)
    }

    fn answer(&mut self, request: Request<RequestBody>) -> Self::Answering {
        self.call(request)
    }
}

/// Builds the app of a worker, once in each worker, inside its runtime: an async function or
/// closure from a [`Context`] to an [`App`]. Its error may be anything that becomes a
/// [`StartError`]: any error type, a string, or [`Infallible`](std::convert::Infallible).
///
/// There is nothing to implement here; this names the bounds in one place.
pub trait Factory: Fn(Context) -> <Self as Factory>::Building {
    /// What it builds.
    type App: App;
    /// Why it could not.
    type Error: Into<StartError>;
    /// The building.
    type Building: Future<Output = Result<Self::App, Self::Error>>;
}

impl<F, B, A, E> Factory for F
where
    F: Fn(Context) -> B,
    B: Future<Output = Result<A, E>>,
    A: App,
    E: Into<StartError>,
{
    type App = A;
    type Error = E;
    type Building = B;
}

#[cfg(test)]
mod tests {
    use super::{App, Context, Factory};
    use crate::body::RequestBody;
    use crate::failure::StartError;
    use brigade_shared::id::{Generation, SlotId};
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::rc::Rc;
    use std::task::Poll;
    use tower_service::Service;

    #[derive(Clone)]
    struct NotSend(#[expect(dead_code, reason = "makes the app !Send")] Rc<()>);

    impl Service<Request<RequestBody>> for NotSend {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<RequestBody>) -> Self::Future {
            ready(Ok(Response::default()))
        }
    }

    fn accepts<F: Factory>(_: F) {}

    async fn fallible(context: Context) -> Result<impl App, StartError> {
        if context.generation() == 0 {
            return Err("no generation".into());
        }
        std::fs::metadata("/")?;
        Ok(NotSend(Rc::default()))
    }

    #[test]
    fn closures_and_async_functions_are_factories_without_annotations() {
        accepts(fallible);
        accepts(|_context| async { Ok::<_, Infallible>(NotSend(Rc::default())) });
        accepts(|context| {
            let slot = context.slot();
            async move { Ok::<_, std::io::Error>(NotSend(Rc::default())).filter(slot) }
        });
        let context = Context::new(SlotId(3), Generation(2));
        assert_eq!((context.slot(), context.generation()), (3, 2));
    }

    /// So that the closure above has to know its argument's type.
    trait Filter: Sized {
        fn filter(self, _slot: u16) -> Self {
            self
        }
    }
    impl<T, E> Filter for Result<T, E> {}
}
