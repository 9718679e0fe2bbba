//! An ELF file (or the kernel's own in memory, the vdso): where its functions are, what they are called,
//! and how to leave their frames.

use std::fs::File;
use std::ops::Range;

use gimli::{BaseAddresses, EhFrame, EhFrameHdr, NativeEndian, UnwindSection};
use object::elf::{FileHeader64, PT_LOAD, SHT_DYNSYM, SHT_SYMTAB, STT_FUNC, STT_GNU_IFUNC};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym};
use object::{Endianness, ReadCache, ReadRef};

/// Unwind tables beyond this are not read.
const LARGEST: u64 = 64 << 20;

/// The bytes of an image.
pub(super) enum Content {
    /// A file, of which only what is needed is read.
    File(ReadCache<File>),
    /// The whole image.
    Memory(Vec<u8>),
}

/// An image that was opened.
pub(super) struct Image {
    content: Content,
    segments: Vec<Segment>,
    tables: Tables,
    bases: BaseAddresses,
}

/// A part of the file and where it belongs in memory, before the image is moved as a whole.
struct Segment {
    offsets: Range<u64>,
    address: u64,
}

/// `.eh_frame_hdr`, the index, and `.eh_frame`.
#[derive(Default)]
struct Tables {
    index: Vec<u8>,
    frames: Vec<u8>,
}

/// How the frame of a function is left.
pub(super) type Row = gimli::UnwindTableRow<usize>;
/// The unwind table of an image.
pub(super) type Frames<'a> = EhFrame<gimli::EndianSlice<'a, NativeEndian>>;

impl Image {
    /// Reads headers and unwind tables; `None` if it is no 64-bit ELF.
    pub(super) fn of(content: Content) -> Option<Self> {
        let (segments, tables, bases) = match &content {
            Content::File(cache) => layout(cache)?,
            Content::Memory(bytes) => layout(bytes.as_slice())?,
        };
        Some(Self {
            content,
            segments,
            tables,
            bases,
        })
    }

    /// The address, as the image counts, of what lies at `offset` of its file.
    pub(super) fn address(&self, offset: u64) -> Option<u64> {
        let segment = self
            .segments
            .iter()
            .find(|segment| segment.offsets.contains(&offset))?;
        Some(segment.address + (offset - segment.offsets.start))
    }

    /// The unwind table, in which expressions are read.
    pub(super) fn frames(&self) -> Frames<'_> {
        EhFrame::new(&self.tables.frames, NativeEndian)
    }

    /// How the frame of the function at `address` is left, whether it is one that the kernel made for
    /// a signal, and which register holds the return address.
    pub(super) fn row(&self, address: u64) -> Option<(Row, bool, gimli::Register)> {
        let frames = self.frames();
        let index = EhFrameHdr::new(&self.tables.index, NativeEndian)
            .parse(&self.bases, 8)
            .ok()?;
        let function = index
            .table()?
            .fde_for_address(&frames, &self.bases, address, EhFrame::cie_from_offset)
            .ok()?;
        let mut context = gimli::UnwindContext::new();
        let row = function
            .unwind_info_for_address(&frames, &self.bases, &mut context, address)
            .ok()?
            .clone();
        let returns = function.cie().return_address_register();
        Some((row, function.is_signal_trampoline(), returns))
    }

    /// The raw names of the functions at these addresses, which are in ascending order.
    pub(super) fn names(&self, addresses: &[u64]) -> Vec<Option<String>> {
        let found = match &self.content {
            Content::File(cache) => names(cache, addresses),
            Content::Memory(bytes) => names(bytes.as_slice(), addresses),
        };
        found.unwrap_or_else(|| vec![None; addresses.len()])
    }
}

fn layout<'data>(data: impl ReadRef<'data>) -> Option<(Vec<Segment>, Tables, BaseAddresses)> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let mut segments = Vec::new();
    for segment in header.program_headers(endian, data).ok()? {
        if segment.p_type(endian) == PT_LOAD {
            let (offset, size) = segment.file_range(endian);
            segments.push(Segment {
                offsets: offset..offset.checked_add(size)?,
                address: segment.p_vaddr(endian),
            });
        }
    }
    let sections = header.sections(endian, data).ok()?;
    let mut tables = Tables::default();
    let mut bases = BaseAddresses::default();
    let read = |name: &[u8]| {
        let (_, section) = sections.section_by_name(endian, name)?;
        let (offset, size) = section.file_range(endian)?;
        let bytes = (size <= LARGEST).then(|| data.read_bytes_at(offset, size).ok())??;
        Some((section.sh_addr(endian), bytes.to_vec()))
    };
    if let (Some((index_at, index)), Some((frames_at, frames))) =
        (read(b".eh_frame_hdr"), read(b".eh_frame"))
    {
        bases = bases.set_eh_frame_hdr(index_at).set_eh_frame(frames_at);
        tables = Tables { index, frames };
    }
    if let Some((_, text)) = sections.section_by_name(endian, b".text") {
        bases = bases.set_text(text.sh_addr(endian));
    }
    Some((segments, tables, bases))
}

/// One pass over the symbols for all addresses. What is not in the symbols of the file may be among
/// those that it exports.
fn names<'data>(data: impl ReadRef<'data>, addresses: &[u64]) -> Option<Vec<Option<String>>> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let mut names: Vec<Option<String>> = vec![None; addresses.len()];
    for kind in [SHT_SYMTAB, SHT_DYNSYM] {
        let Ok(symbols) = sections.symbols(endian, data, kind) else {
            continue;
        };
        for symbol in symbols.iter() {
            let is_function = matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC);
            let (start, size) = (symbol.st_value(endian), symbol.st_size(endian));
            if !is_function || symbol.is_undefined(endian) || size == 0 {
                continue;
            }
            let first = addresses.partition_point(|address| *address < start);
            let end = start.saturating_add(size);
            for (address, name) in addresses.iter().zip(&mut names).skip(first) {
                if *address >= end {
                    break;
                }
                let Ok(bytes) = symbol.name(endian, symbols.strings()) else {
                    continue;
                };
                let found = String::from_utf8_lossy(bytes);
                if name.as_ref().is_none_or(|known| is_better(&found, known)) {
                    *name = Some(found.into_owned());
                }
            }
        }
    }
    Some(names)
}

/// Of the names of one function (`__read`, `read`) the one that people know.
fn is_better(name: &str, than: &str) -> bool {
    let underscores = |name: &str| name.len() - name.trim_start_matches('_').len();
    (underscores(name), name.len()) < (underscores(than), than.len())
}

#[cfg(test)]
mod tests {
    use super::is_better;

    #[test]
    fn the_name_that_people_know_is_the_better_one() {
        assert!(is_better("read", "__read"));
        assert!(is_better("read", "__GI___read"));
        assert!(!is_better("__libc_read", "read"));
    }
}
