//! Chunks of a directory snapshot on their way: downloaded into a folder, resumed where a line broke, believed only
//! by their hash. Out of scope: unpacking, which is the store's.
//!
//! Invariants: a file named `<hash>` in the folder has that hash; `<hash>.part` is what came so far of it. Chunks are
//! immutable, so whatever is there already is not fetched again, and chunks may as well come from a stick.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hufu_shared::ids::Hash;
use hufu_shared::wire::directory::{Chunk, Manifest};

use super::client::{Centre, CentreError};
use super::download::DownloadError;
use super::files::{self, Step};
use crate::rules::member_plan::Refusal;

const CHUNK_PATH: &str = "/device/v1/directory/snapshot";

/// Makes sure that every chunk of a manifest lies in `folder`, and nothing else does.
///
/// # Errors
/// [`DownloadError`]; what has come so far stays for the next try.
pub(super) async fn fetch_all(
    centre: &Centre,
    folder: &Path,
    manifest: &Manifest,
) -> Result<(), DownloadError> {
    files::perform(&[Step::Folder(folder.to_owned())])?;
    remove_others(folder, manifest)?;
    for chunk in &manifest.chunks {
        if !is_whole(&path_of(folder, chunk), chunk)? {
            fetch(centre, folder, chunk).await?;
        }
    }
    Ok(())
}

/// The bytes of a chunk that [`fetch_all`] has brought; whoever unpacks them checks them once more.
///
/// # Errors
/// [`DownloadError`] if the file cannot be read.
pub(super) fn read(folder: &Path, chunk: &Chunk) -> Result<Vec<u8>, DownloadError> {
    Ok(files::read(&path_of(folder, chunk))?.unwrap_or_default())
}

/// Removes everything that was downloaded.
pub(super) fn clear(folder: &Path) -> Result<(), DownloadError> {
    Ok(files::perform(&[Step::Remove(folder.to_owned())])?)
}

async fn fetch(centre: &Centre, folder: &Path, chunk: &Chunk) -> Result<(), DownloadError> {
    let whole = path_of(folder, chunk);
    let part = part_of(&whole);
    let had = std::fs::metadata(&part).map_or(0, |meta| meta.len());
    let from = if had < chunk.bytes { had } else { 0 };
    let mut download = centre.download(&format!("{CHUNK_PATH}/{}", chunk.hash), from).await?;
    let start = if download.start == from { from } else { 0 };
    if download.start != start {
        // Neither from the start nor from where we stand: nothing can be joined to it.
        files::perform(&[Step::Remove(part)])?;
        return Err(CentreError::Unreachable { reason: "a range nobody asked for came".to_owned() }.into());
    }
    let options = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(&part);
    let mut file = options.map_err(files::failed("create", &part))?;
    file.set_len(start).map_err(files::failed("resume", &part))?;
    file.seek(SeekFrom::End(0)).map_err(files::failed("resume", &part))?;
    let mut bytes = start;
    while let Some(piece) = download.next().await? {
        bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if bytes > chunk.bytes {
            drop(file);
            files::perform(&[Step::Remove(part)])?;
            let at_most = usize::try_from(chunk.bytes).unwrap_or(usize::MAX);
            return Err(CentreError::TooLarge { at_most }.into());
        }
        file.write_all(&piece).map_err(files::failed("write", &part))?;
    }
    file.sync_all().map_err(files::failed("write", &part))?;
    drop(file);
    if !is_whole(&part, chunk)? {
        let met = Hash::of(&[&files::read(&part)?.unwrap_or_default()]);
        files::perform(&[Step::Remove(part)])?;
        return Err(Refusal::ChunkHash { expected: chunk.hash, met }.into());
    }
    Ok(files::perform(&[Step::Rename(part, whole), Step::SyncFolder(folder.to_owned())])?)
}

fn is_whole(path: &Path, chunk: &Chunk) -> Result<bool, DownloadError> {
    let Some(bytes) = files::read(path)? else { return Ok(false) };
    Ok(Hash::of(&[&bytes]) == chunk.hash)
}

fn remove_others(folder: &Path, manifest: &Manifest) -> Result<(), DownloadError> {
    let wanted: Vec<PathBuf> = manifest.chunks.iter().map(|chunk| path_of(folder, chunk)).collect();
    let entries = std::fs::read_dir(folder).map_err(files::failed("list", folder))?;
    for entry in entries {
        let path = entry.map_err(files::failed("list", folder))?.path();
        if !wanted.iter().any(|whole| *whole == path || part_of(whole) == path) {
            files::perform(&[Step::Remove(path)])?;
        }
    }
    Ok(())
}

fn path_of(folder: &Path, chunk: &Chunk) -> PathBuf {
    folder.join(chunk.hash.to_string())
}

fn part_of(whole: &Path) -> PathBuf {
    whole.with_extension("part")
}
