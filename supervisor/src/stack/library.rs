//! The images of one process, opened as they are met.

use brigade_shared::sys::trace;
use nix::unistd::Pid;
use object::ReadCache;

use super::image::{Content, Image};
use super::maps::{self, Identity, Mapping};

/// The vdso has a few pages.
const LARGEST_IN_MEMORY: u64 = 1 << 20;

/// What is mapped, and the images that were opened so far.
pub(super) struct Library {
    mappings: Vec<Mapping>,
    images: Vec<(Identity, Option<Image>)>,
}

/// Where an address lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The name of the file.
    pub(super) file: String,
    /// The offset in it.
    pub(super) offset: u64,
    /// Which image, and the address as that counts.
    image: Option<(usize, u64)>,
}

impl Library {
    /// What is mapped in this process now.
    pub(super) fn of(pid: Pid) -> Self {
        Self {
            mappings: maps::code(pid),
            images: Vec::new(),
        }
    }

    /// The image in which an address lies, and the address as the image counts.
    pub(super) fn find(&mut self, pid: Pid, address: u64) -> Option<(&Image, u64)> {
        let (index, at) = self.place(pid, address)?.image?;
        Some((self.images[index].1.as_ref()?, at))
    }

    /// Where an address lies; `None` if there is no code.
    pub(super) fn place(&mut self, pid: Pid, address: u64) -> Option<Place> {
        let mapping = self
            .mappings
            .iter()
            .find(|mapping| mapping.range.contains(&address))?
            .clone();
        let index = self.open(pid, &mapping);
        let offset = address - mapping.range.start + mapping.offset;
        let at = self.images[index]
            .1
            .as_ref()
            .and_then(|image| image.address(offset));
        Some(Place {
            file: mapping.short_name().to_owned(),
            offset,
            image: at.map(|at| (index, at)),
        })
    }

    /// The names of the functions at these places.
    pub(super) fn names(&self, places: &[Option<Place>]) -> Vec<Option<String>> {
        let mut names = vec![None; places.len()];
        for (index, (_, image)) in self.images.iter().enumerate() {
            let Some(image) = image else { continue };
            let here = places.iter().enumerate().filter_map(|(number, place)| {
                let (of, at) = place.as_ref()?.image?;
                (of == index).then_some((at, number))
            });
            let mut wanted: Vec<(u64, usize)> = here.collect();
            wanted.sort_unstable();
            let addresses: Vec<u64> = wanted.iter().map(|(at, _)| *at).collect();
            for ((_, number), name) in wanted.iter().zip(image.names(&addresses)) {
                names[*number] = name;
            }
        }
        names
    }

    fn open(&mut self, pid: Pid, mapping: &Mapping) -> usize {
        let known = |(file, _): &(Identity, Option<Image>)| *file == mapping.file;
        if let Some(index) = self.images.iter().position(known) {
            return index;
        }
        let image = content(pid, mapping).and_then(Image::of);
        self.images.push((mapping.file.clone(), image));
        self.images.len() - 1
    }
}

fn content(pid: Pid, mapping: &Mapping) -> Option<Content> {
    if mapping.name != "[vdso]" {
        let file = mapping.open(pid)?;
        return Some(Content::File(ReadCache::new(file)));
    }
    let size = mapping.range.end - mapping.range.start;
    let mut bytes = vec![0; usize::try_from(size.min(LARGEST_IN_MEMORY)).ok()?];
    let read = trace::read(pid, mapping.range.start, &mut bytes).ok()?;
    bytes.truncate(read);
    Some(Content::Memory(bytes))
}
