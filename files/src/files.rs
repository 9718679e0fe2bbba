//! The service.

use std::convert::Infallible;
use std::ffi::CString;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use brigade_shared::sys::beneath::Patience;
use http::header::HeaderValue;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use nix::errno::Errno;
use tower_service::Service;

use crate::answer::{Manner, Site, answer, later, words};
use crate::body::FileBody;
use crate::complain;
use crate::readers::Readers;
use crate::shelf::Shelf;
use crate::wanted::wanted;

/// Serves the files of a directory: a [`tower_service::Service`] for requests with any body, to be an
/// app of its own or to be mounted in another one.
///
/// GET and HEAD, conditional requests and ranges of bytes are answered; a directory by its
/// `index.html`, and never by a list of what is in it. No path leads out of the directory, neither by `..` nor by
/// a symbolic link; files whose name, or whose directory's name, begins with a dot do not exist for
/// clients, but for `/.well-known/`.
///
/// The directory is opened once, here. If its name is given to another one later, a new
/// `Files` sees it: a reload of Brigade makes new ones.
///
/// # Errors
/// The kernel's with the directory's name, if there is no such directory, or if it can't open files beneath one.
///
/// # Example
/// ```
/// # fn main() -> std::io::Result<()> {
/// let site = brigade_files::files("src")?.precompressed();
/// # Ok(())
/// # }
/// ```
pub fn files(directory: impl AsRef<Path>) -> io::Result<Files> {
    let directory = directory.as_ref();
    let named = |error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", directory.display()))
    };
    Ok(Files::new(Shelf::open(directory).map_err(named)?))
}

/// The files of a directory as a service; made by [`files`]. Clones share the directory.
#[derive(Clone, Debug)]
pub struct Files {
    site: Arc<Site>,
    readers: Readers,
}

impl Files {
    pub(crate) fn new(shelf: Shelf) -> Self {
        let manner = Manner {
            index: c"index.html".to_owned(),
            page: None,
            is_precompressed: false,
            cache_control: None,
        };
        Self {
            site: Arc::new(Site { shelf, manner }),
            readers: Readers::new(),
        }
    }

    fn with(self, change: impl FnOnce(&mut Manner)) -> Self {
        let mut site = self.site;
        let whole = Arc::get_mut(&mut site);
        change(&mut whole.expect("settings come before clones").manner);
        Self { site, ..self }
    }

    /// The name of the file that stands for its directory, instead of `index.html`.
    ///
    /// # Panics
    /// If the name is empty, begins with a dot or has a slash or a zero byte in it; or if this has
    /// been cloned before, as with all settings.
    #[must_use]
    pub fn index(self, name: &str) -> Self {
        let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
        assert!(is_name, "{name:?} is not the name of a file");
        let name = CString::new(name).expect("a name has no zero byte");
        self.with(|manner| manner.index = name)
    }

    /// For a single-page app: what does not exist is answered with this file, by a path from the
    /// directory (`index.html`), and status 200; the app in the browser then shows what belongs there. A
    /// path whose last segment has a dot is a missing file all the same, and 404. The page itself always
    /// goes out with `cache-control: no-cache`.
    ///
    /// # Errors
    /// If there is no such file.
    ///
    /// # Panics
    /// As [`index`](Self::index) does, if this has been cloned before.
    pub fn spa(self, file: &str) -> io::Result<Self> {
        let missing = |why| io::Error::new(io::ErrorKind::NotFound, format!("{file}: {why}"));
        let page = wanted(file).filter(|page| !page.is_directory);
        let page = page.ok_or_else(|| missing("not a path from the directory to a file"))?;
        let nothing = std::iter::empty();
        match self.site.shelf.find(&page, c".", nothing, Patience::Any)? {
            crate::shelf::Found::File(..) => {}
            crate::shelf::Found::Directory | crate::shelf::Found::Nothing => {
                return Err(missing("no such file in the directory"));
            }
        }
        Ok(self.with(|manner| manner.page = Some(page)))
    }

    /// Sends `app.js.br`, `app.js.zst` or `app.js.gz` in place of `app.js` to clients that take it,
    /// if it lies beside `app.js`. Brigade does not look whether it has the same content.
    ///
    /// # Panics
    /// As [`index`](Self::index) does, if this has been cloned before.
    #[must_use]
    pub fn precompressed(self) -> Self {
        self.with(|manner| manner.is_precompressed = true)
    }

    /// The `cache-control` header that files go out with: `public, max-age=3600`. Without it,
    /// clients ask as they see fit whether a file has changed.
    ///
    /// # Panics
    /// As [`index`](Self::index) does, if this has been cloned before.
    #[must_use]
    pub fn cache_control(self, value: HeaderValue) -> Self {
        self.with(|manner| manner.cache_control = Some(value))
    }

    fn begin(&self, head: Parts) -> Answering {
        match answer(&self.site, &head, &self.readers, Patience::None) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return Answering(State::Done(Some(settle(done, head.uri.path())))),
        }
        let Ok(place) = self.readers.line_up() else {
            return Answering(State::Done(Some(later())));
        };
        let (site, readers) = (Arc::clone(&self.site), self.readers.clone());
        let target = head.uri.path().to_owned();
        let job = {
            let readers = readers.clone();
            move || answer(&site, &head, &readers, Patience::Any)
        };
        Answering(State::Waiting(Box::pin(async move {
            let done = readers.run(job).await;
            drop(place);
            settle(done, &target)
        })))
    }
}

impl<B> Service<Request<B>> for Files {
    type Response = Response<FileBody>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Answering {
        self.begin(request.into_parts().0)
    }
}

/// The answer of [`Files`], nearly always there at once.
pub struct Answering(State);

enum State {
    Done(Option<Response<FileBody>>),
    Waiting(Pin<Box<dyn Future<Output = Response<FileBody>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<FileBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Done(response) => {
                Poll::Ready(Ok(response.take().expect("not polled after its end")))
            }
            State::Waiting(work) => work.as_mut().poll(task).map(Ok),
        }
    }
}

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            State::Done(_) => "Answering::Done",
            State::Waiting(_) => "Answering::Waiting",
        })
    }
}

/// The answer, or what is said in its stead.
fn settle(done: io::Result<Response<FileBody>>, target: &str) -> Response<FileBody> {
    done.unwrap_or_else(|error| {
        complain::unreadable(&error, target, "its request is answered with an error");
        let errno = error.raw_os_error().map(Errno::from_raw);
        match errno {
            Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM) => later(),
            _ => words(StatusCode::INTERNAL_SERVER_ERROR),
        }
    })
}
