//! The files of the user's kubeconfig: which there are, and writing one as a whole.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// As many symbolic links as Linux follows.
const LINKS: usize = 40;

/// The files in the order in which they count, and which of them gets new entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) all: Vec<PathBuf>,
    pub(super) default: usize,
}

impl Files {
    /// Those of this process.
    pub(super) fn find() -> Option<Self> {
        Self::choose(std::env::var_os("KUBECONFIG").as_deref(), std::env::home_dir().as_deref())
    }

    /// `kubectl config` writes new entries into the first file of `$KUBECONFIG` that exists, and
    /// into the last one if none does.
    fn choose(variable: Option<&OsStr>, home: Option<&Path>) -> Option<Self> {
        let named = variable.into_iter().flat_map(std::env::split_paths);
        let mut all: Vec<PathBuf> = Vec::new();
        for path in named.filter(|path| !path.as_os_str().is_empty()) {
            let path = std::path::absolute(&path).unwrap_or(path);
            if !all.contains(&path) {
                all.push(path);
            }
        }
        if all.is_empty() {
            let home = home.filter(|home| !home.as_os_str().is_empty())?;
            all.push(home.join(".kube").join("config"));
        }
        let default = all.iter().position(|path| path.exists()).unwrap_or(all.len() - 1);
        Some(Self { all, default })
    }
}

/// The text of a file; none if it is not there.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        // A pipe could be read once only, and be waited for in vain.
        Ok(found) if !found.is_file() => {
            let what =
                if found.is_dir() { "it is a directory" } else { "it is not a regular file" };
            Err(io::Error::other(what))
        }
        Ok(_) => fs::read_to_string(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the content of a file, or creates it, by a rename: a reader sees all of it or none. A
/// symbolic link stays one. The owner and the mode of a file stay; a new one is its owner's alone.
pub(super) fn write(path: &Path, content: &str) -> io::Result<()> {
    let real = follow(path)?;
    create_folder(folder_of(&real))?;
    let mut staged = stage(&real)?;
    staged.write_all(content.as_bytes())?;
    staged.as_file().sync_all()?;
    staged.persist(&real).map_err(|error| error.error)?;
    // The rename itself is to outlive a power cut.
    File::open(folder_of(&real))?.sync_all()
}

/// Checks that [`write()`] would succeed, as far as that is known without a write.
pub(super) fn check_writable(path: &Path) -> io::Result<()> {
    let real = follow(path)?;
    let mut folder = folder_of(&real);
    while !folder.exists() {
        folder = folder_of(folder);
    }
    match folder == folder_of(&real) {
        true => stage(&real).map(drop),
        false => NamedTempFile::new_in(folder).map(drop),
    }
}

/// A file beside another one that can take its place.
fn stage(real: &Path) -> io::Result<NamedTempFile> {
    let staged = tempfile::Builder::new().prefix(".kubeconfig-").tempfile_in(folder_of(real))?;
    let found = match fs::metadata(real) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(staged),
        Err(error) => return Err(error),
    };
    if found.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    let owner = |metadata: &Metadata| (metadata.uid(), metadata.gid());
    // Run by root, it must not become root's.
    if owner(&staged.as_file().metadata()?) != owner(&found) {
        std::os::unix::fs::fchown(staged.as_file(), Some(found.uid()), Some(found.gid()))?;
    }
    staged.as_file().set_permissions(fs::Permissions::from_mode(found.mode() & 0o777))?;
    Ok(staged)
}

/// Creates the folder of a kubeconfig; what is there stays as it is.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    own_files::private::create_missing_folders(folder)
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Follows symbolic links, also to a file that does not exist yet.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                path = folder_of(&path).join(fs::read_link(&path)?);
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its symbolic links form a circle"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("is there").permissions().mode() & 0o7777
    }

    #[test]
    fn files_are_those_of_kubectl() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = |name: &str| dir.path().join(name);
        let list = |names: &[&str]| {
            std::env::join_paths(names.iter().map(|name| path(name))).expect("no colon in it")
        };
        let choose = |variable: Option<&OsStr>| Files::choose(variable, Some(dir.path()));
        let home = Files { all: vec![path(".kube/config")], default: 0 };
        assert_eq!(choose(None), Some(home.clone()));
        assert_eq!(choose(Some(OsStr::new(""))), Some(home.clone()));
        assert_eq!(choose(Some(OsStr::new(":"))), Some(home));
        assert_eq!(Files::choose(None, None), None);
        let none = choose(Some(&list(&["a", "b", "a"]))).expect("named");
        assert_eq!(none, Files { all: vec![path("a"), path("b")], default: 1 });
        fs::write(path("b"), "").expect("written");
        let second = choose(Some(&list(&["a", "b", "c"]))).expect("named");
        assert_eq!(second.default, 1, "the first that exists");
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_new_one_is_private() {
        let dir = tempfile::tempdir().expect("temp dir");
        let new = dir.path().join("folder/below/config");
        check_writable(&new).expect("it could be created");
        assert!(!dir.path().join("folder").exists(), "a check creates nothing");
        write(&new, "a").expect("written");
        assert_eq!((mode(&new), mode(folder_of(&new))), (0o600, 0o700));
        for kept in [0o600, 0o640, 0o644] {
            fs::set_permissions(&new, fs::Permissions::from_mode(kept)).expect("changed");
            write(&new, "b").expect("written");
            assert_eq!(mode(&new), kept);
        }
        let entries = fs::read_dir(folder_of(&new)).expect("a folder").count();
        assert_eq!(entries, 1, "nothing is left beside it");
    }

    #[test]
    fn symbolic_links_stay() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("dotfiles")).expect("created");
        fs::write(path("dotfiles/config"), "old").expect("written");
        symlink("dotfiles/config", path("relative")).expect("linked");
        symlink(path("relative"), path("twice")).expect("linked");
        write(&path("twice"), "new").expect("written");
        assert_eq!(fs::read_to_string(path("dotfiles/config")).expect("read"), "new");
        for link in ["relative", "twice"] {
            assert!(fs::symlink_metadata(path(link)).expect("there").is_symlink(), "{link}");
        }
        symlink("dotfiles/later", path("dangling")).expect("linked");
        write(&path("dangling"), "first").expect("written");
        assert_eq!(fs::read_to_string(path("dotfiles/later")).expect("read"), "first");
        symlink("circle", path("circle")).expect("linked");
        assert!(write(&path("circle"), "x").is_err());
    }

    #[test]
    fn an_unwritable_file_is_known_before() {
        let dir = tempfile::tempdir().expect("temp dir");
        let fixed = dir.path().join("fixed");
        fs::write(&fixed, "kept").expect("written");
        fs::set_permissions(&fixed, fs::Permissions::from_mode(0o400)).expect("changed");
        let error = check_writable(&fixed).expect_err("it is read-only");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(write(&fixed, "new").is_err());
        assert_eq!(fs::read_to_string(&fixed).expect("read"), "kept");
        let below_a_file = fixed.join("config");
        assert!(check_writable(&below_a_file).is_err());
        assert!(read(dir.path()).expect_err("a folder").to_string().contains("directory"));
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
    }
}
