//! Finding files: order of places, checksums, resuming, and what stays when a fetch fails.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use kohort_data::fetch::{Places, Progress, locate, locate_with, open, open_records};
use kohort_data::{DataError, Manifest};

use crate::mirror::folder;

const A: &[u8] = b"one\ntwo\nthree\n";
fn sum(bytes: &[u8]) -> String {
    use std::process::{Command, Stdio};
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()[..64].to_owned()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn manifest(place: &str) -> Manifest {
    let text = format!(
        "name = \"tea\"\ntitle = \"t\"\ndescription = \"d\"\nlicence = \"l\"\nredistribution = \"no\"\n\
         citation = \"c\"\nhomepage = \"h\"\n[[layout]]\nname = \"official\"\nreader = \"itm-rec\"\n\
         [[layout.file]]\npath = \"a.txt\"\nbytes = {}\nsha256 = \"{}\"\nrows = 3\n{place}",
        A.len(),
        sum(A)
    );
    Manifest::parse(&text, "tea").unwrap()
}

fn archive(url: &str, zip: &[u8]) -> String {
    format!(
        "[[place]]\nkind = \"archive\"\nname = \"official\"\nurl = \"{url}\"\nbytes = {}\nsha256 = \"{}\"\n\
         inside = \"tea/\"\nlayout = \"official\"\n",
        zip.len(),
        sum(zip)
    )
}

/// Answers each request in turn: the body's first `most` bytes of what was asked for, then hangs up. Gives the address;
/// the requests' ranges come out of the channel.
fn server(body: Vec<u8>, most: Vec<usize>) -> (String, std::sync::mpsc::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/tea.zip", listener.local_addr().unwrap());
    let (ranges, seen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for most in most {
            let (mut stream, _) = listener.accept().unwrap();
            let mut from = 0;
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let line = line.unwrap().to_lowercase();
                if let Some(range) = line.strip_prefix("range: bytes=") {
                    from = range.trim_end_matches('-').parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let rest = &body[from..];
            let status = if from > 0 {
                format!(
                    "206 Partial Content\r\ncontent-range: bytes {from}-{}/{}",
                    body.len() - 1,
                    body.len()
                )
            } else {
                "200 OK".to_owned()
            };
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", rest.len()).unwrap();
            stream.write_all(&rest[..most.min(rest.len())]).unwrap();
            ranges.send(from).unwrap();
        }
    });
    (address, seen)
}

fn places(data: &Path) -> Places {
    Places {
        data_dir: data.to_path_buf(),
        mirrors: Vec::new(),
        network: true,
        python: "no-such-python".into(),
    }
}

/// Everything below a folder, as names.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map(|all| all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn a_broken_download_is_resumed_where_it_stopped() {
    let zip = zipped(&[("tea/a.txt", A), ("tea/other.txt", b"not in the manifest")]);
    let (url, ranges) = server(zip.clone(), vec![40, usize::MAX]);
    let manifest = manifest(&archive(&url, &zip));
    let dir = tempfile::tempdir().unwrap();

    let first = locate(&manifest, &places(dir.path())).unwrap_err().to_string();
    assert!(first.contains("40 of"), "{first}");
    assert!(!dir.path().join("tea").exists(), "nothing half-finished shows");

    let mut told = Vec::new();
    let located = locate_with(&manifest, &places(dir.path()), &mut |p| told.push(p)).unwrap();
    assert_eq!(ranges.iter().collect::<Vec<_>>(), [0, 40]);
    assert!(told.iter().any(|p| matches!(p, Progress::Downloading { bytes, of, .. } if bytes == of)));
    assert_eq!((located.source.as_str(), located.attempts.len()), ("official", 1));
    assert_eq!(std::fs::read(located.dir.join("a.txt")).unwrap(), A);
    assert_eq!(names(dir.path()), ["tea"], "no leftovers");
    assert_eq!(names(&located.dir), ["SOURCE", "a.txt"]);

    let offline = Places { network: false, ..places(dir.path()) };
    assert_eq!(locate(&manifest, &offline).unwrap().source, "official", "where it came from is kept");
}

#[test]
fn wrong_contents_are_refused_and_earlier_files_stay() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("tea")).unwrap();
    std::fs::write(dir.path().join("tea/a.txt"), b"my own notes").unwrap();
    let mut wrong = A.to_vec();
    wrong[1] ^= 1;
    let zip = zipped(&[("tea/a.txt", &wrong)]);
    let (url, _ranges) = server(zip.clone(), vec![usize::MAX]);
    let error = locate(&manifest(&archive(&url, &zip)), &places(dir.path())).unwrap_err();
    let DataError::NotFound { attempts, .. } = &error else { panic!("{error}") };
    assert!(attempts[0].why.contains("a.txt:1: not the file of the manifest: found 12 bytes"), "{error}");
    assert!(attempts[1].why.contains("a.txt:3: not the file of the manifest: found 14 bytes"), "{error}");
    assert_eq!(std::fs::read(dir.path().join("tea/a.txt")).unwrap(), b"my own notes");
    assert_eq!(names(dir.path()), ["tea"], "no leftovers");
}

#[test]
fn files_that_lie_openly_are_fetched_one_by_one_and_resumed() {
    let (url, ranges) = server(A.to_vec(), vec![5, usize::MAX]);
    let base = url.replace("tea.zip", "");
    let place = format!(
        "[[place]]\nkind = \"files\"\nname = \"official\"\nurl = \"{base}\"\nlayout = \"official\"\n"
    );
    let manifest = manifest(&place);
    let dir = tempfile::tempdir().unwrap();
    let first = locate(&manifest, &places(dir.path())).unwrap_err().to_string();
    assert!(first.contains("after 5 of 14 bytes") && first.contains("fetch the files below http"), "{first}");
    let located = locate(&manifest, &places(dir.path())).unwrap();
    assert_eq!(ranges.iter().collect::<Vec<_>>(), [0, 5]);
    assert_eq!((located.source.as_str(), names(dir.path())), ("official", vec!["tea".to_owned()]));
    assert_eq!(std::fs::read(located.dir.join("a.txt")).unwrap(), A);
}

#[test]
fn a_file_that_lies_elsewhere_below_the_address_is_asked_for_there() {
    let (url, _ranges) = server(A.to_vec(), vec![usize::MAX]);
    let base = url.replace("tea.zip", "");
    let place = format!(
        "[[place]]\nkind = \"files\"\nname = \"official\"\nurl = \"{base}\"\nlayout = \"official\"\n"
    );
    let mut manifest = manifest(&place);
    manifest.layouts[0].files[0].at = Some("leaves/green.txt".to_owned());
    let dir = tempfile::tempdir().unwrap();
    let offline = Places { network: false, ..places(dir.path()) };
    let error = locate(&manifest, &offline).unwrap_err().to_string();
    assert!(error.contains(": leaves/green.txt as a.txt\n"), "{error}");
    let mut asked = Vec::new();
    let located = locate_with(&manifest, &places(dir.path()), &mut |progress| {
        if let Progress::Downloading { url, .. } = progress {
            asked.push(url);
        }
    })
    .unwrap();
    asked.dedup();
    assert_eq!(asked, [format!("{base}leaves/green.txt")]);
    assert_eq!(std::fs::read(located.dir.join("a.txt")).unwrap(), A);
}

#[test]
fn a_file_that_lies_openly_and_is_wrong_is_not_put_into_place() {
    let (url, _ranges) = server(b"one\ntwo\nother\n".to_vec(), vec![usize::MAX]);
    let base = url.replace("tea.zip", "");
    let place = format!(
        "[[place]]\nkind = \"files\"\nname = \"official\"\nurl = \"{base}\"\nlayout = \"official\"\n"
    );
    let dir = tempfile::tempdir().unwrap();
    let error = locate(&manifest(&place), &places(dir.path())).unwrap_err().to_string();
    assert!(error.contains("not the file of the manifest"), "{error}");
    assert_eq!(names(dir.path()), [] as [String; 0], "no leftovers");
}

#[test]
fn an_archive_that_unpacks_to_more_than_the_manifest_says_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let zip = zipped(&[("tea/a.txt", &vec![0u8; 50_000_000])]);
    let (url, _ranges) = server(zip.clone(), vec![usize::MAX]);
    let error = locate(&manifest(&archive(&url, &zip)), &places(dir.path())).unwrap_err().to_string();
    assert!(error.contains("more than 14 bytes"), "{error}");
}

#[test]
fn more_bytes_than_announced_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let zip = zipped(&[("tea/a.txt", A)]);
    let (url, _ranges) = server([&zip[..], b"and more"].concat(), vec![usize::MAX]);
    let error = locate(&manifest(&archive(&url, &zip)), &places(dir.path())).unwrap_err().to_string();
    assert!(error.contains(&format!("more than {} bytes came", zip.len())), "{error}");
}

#[test]
fn the_mirror_serves_before_the_network_and_is_not_written_to() {
    let (data, mirror) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir(mirror.path().join("tea")).unwrap();
    std::fs::write(mirror.path().join("tea/a.txt"), A).unwrap();
    let places = Places { mirrors: vec![mirror.path().to_path_buf()], ..places(data.path()) };
    let located = locate(&manifest(&archive("http://127.0.0.1:1/", b"")), &places).unwrap();
    assert_eq!((located.source.as_str(), located.dir), ("mirror", mirror.path().join("tea")));
    assert_eq!(located.attempts, [], "nothing was tried before it");
    assert_eq!(names(data.path()), [] as [&str; 0]);
}

#[test]
fn given_mirrors_serve_in_their_order_and_before_an_earlier_fetch() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [flag, variable, data] = folders.each_ref().map(|dir| dir.path().to_path_buf());
    for dir in [&variable, &data] {
        std::fs::create_dir(dir.join("tea")).unwrap();
        std::fs::write(dir.join("tea/a.txt"), A).unwrap();
    }
    let manifest = manifest(&archive("http://127.0.0.1:1/", b""));
    let places = Places { mirrors: vec![flag.clone(), variable.clone()], ..places(&data) };
    assert_eq!(locate(&manifest, &places).unwrap().dir, variable.join("tea"), "the first one has nothing");

    std::fs::create_dir(flag.join("tea")).unwrap();
    std::fs::write(flag.join("tea/a.txt"), A).unwrap();
    assert_eq!(locate(&manifest, &places).unwrap().dir, flag.join("tea"));

    std::fs::write(flag.join("tea/a.txt"), b"altered").unwrap();
    std::fs::remove_dir_all(variable.join("tea")).unwrap();
    let located = locate(&manifest, &places).unwrap();
    assert_eq!((located.dir, located.source.as_str()), (data.join("tea"), "data-dir"));
    assert_eq!(located.attempts.len(), 2, "both mirrors are told of");
}

#[test]
fn when_no_place_serves_the_error_lists_all_of_them_and_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let offline = Places { network: false, ..places(data.path()) };
    let error = open("ml-100k", &offline, &mut |_| {}).unwrap_err().to_string();
    let expected = [
        "no place has the data set ml-100k\n",
        "tried the data folder",
        "there is no such folder",
        "tried official, https://files.grouplens.org/datasets/movielens/ml-100k.zip: the network is switched off",
        "tried pip-recbole, no-such-python -m pip download recbole==1.2.1: the network is switched off",
        "tried a mirror: KOHORT_MIRROR is not set",
        "next: unset KOHORT_OFFLINE",
        "next: python3 -m pip download --no-deps -d . recbole==1.2.1",
        "next: or set KOHORT_MIRROR to a folder that has them in ml-100k/",
    ];
    for line in expected {
        assert!(error.contains(line), "{error}\n{line}");
    }
}

#[test]
fn a_place_without_a_server_or_a_python_fails_fast() {
    let data = tempfile::tempdir().unwrap();
    let pip = "[[place]]\nkind = \"pip\"\nname = \"pip-tea\"\npackage = \"tea==1\"\nwheel = \"tea.whl\"\nbytes = 1\n\
               sha256 = \"\"\ninside = \"tea/\"\nlayout = \"official\"\n";
    let manifest = manifest(&format!("{}{pip}", archive("http://127.0.0.1:1/tea.zip", b"")));
    let began = std::time::Instant::now();
    let error = locate(&manifest, &places(data.path())).unwrap_err();
    assert!(began.elapsed().as_secs() < 12);
    let DataError::NotFound { attempts, .. } = &error else { panic!("{error}") };
    assert!(attempts[2].why.starts_with("no-such-python: cannot run it"), "{error}");
    assert_eq!(names(data.path()), [] as [&str; 0]);
}

/// A stand-in for Python that puts a wheel where pip would.
#[cfg(unix)]
#[test]
fn a_package_that_carries_the_files_serves() {
    use std::os::unix::fs::PermissionsExt;
    let (data, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let wheel = zipped(&[("pkg/data/a.txt", A)]);
    std::fs::write(tools.path().join("tea-1.whl"), &wheel).unwrap();
    let python = tools.path().join("python3");
    // The folder comes before the package, which is last.
    let script = format!(
        "#!/bin/sh\n[ \"$1 $2 $3\" = '-m pip download' ] || exit 9\nfor last; do folder=$package; package=$last; done\n\
         [ \"$package\" = tea==1 ] || {{ echo no such package >&2; exit 1; }}\ncp {}/tea-1.whl \"$folder/\"\n",
        tools.path().display()
    );
    std::fs::write(&python, script).unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let place = |package: &str| {
        format!(
            "[[place]]\nkind = \"pip\"\nname = \"pip-tea\"\npackage = \"{package}\"\nwheel = \"tea-1.whl\"\n\
             bytes = {}\nsha256 = \"{}\"\ninside = \"pkg/data/\"\nlayout = \"official\"\n",
            wheel.len(),
            sum(&wheel)
        )
    };
    let places = Places { python, ..places(data.path()) };
    let error = locate(&manifest(&place("tea==2")), &places).unwrap_err().to_string();
    assert!(error.contains("no such package"), "{error}");
    let located = locate(&manifest(&place("tea==1")), &places).unwrap();
    assert_eq!(located.source, "pip-tea");
    assert_eq!(std::fs::read(located.dir.join("a.txt")).unwrap(), A);
}

#[test]
fn real_records_open_from_the_mirror_and_only_as_records() {
    for (name, rows) in [("census-income", 99_762), ("twitch", 34_118)] {
        let Some(folder) = folder(name) else { continue };
        let data = tempfile::tempdir().unwrap();
        let mirror = folder.parent().unwrap().to_path_buf();
        let places = Places { mirrors: vec![mirror], network: false, ..places(data.path()) };
        let records = open_records(name, &places, &mut |_| {}).unwrap();
        assert_eq!((records.len(), records.source.as_str(), records.name.as_str()), (rows, "mirror", name));
        let located = locate(&Manifest::named(name).unwrap(), &places).unwrap();
        assert!(located.read().unwrap_err().to_string().contains("fetch::open_records opens it"));
    }
}

#[test]
fn a_data_set_opened_as_what_it_is_not_is_refused_before_it_is_looked_for() {
    let data = tempfile::tempdir().unwrap();
    let places = places(data.path());
    let nowhere = &mut |_| panic!("nothing is looked for");
    assert_eq!(
        open("twitch", &places, nowhere).unwrap_err().to_string(),
        "manifest twitch: it holds records, not ratings: fetch::open_records opens it"
    );
    assert_eq!(
        open_records("ml-100k", &places, nowhere).unwrap_err().to_string(),
        "manifest ml-100k: it holds ratings, not records: fetch::open opens it"
    );
    let offline = Places { network: false, ..places };
    let error = open_records("census-income", &offline, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("the network is switched off") && error.contains("KOHORT_MIRROR"), "{error}");
}

#[test]
fn both_real_data_sets_open_from_the_mirror() {
    let data = tempfile::tempdir().unwrap();
    for (name, rows) in [("ml-100k", 100_000), ("itm-rec", 5_230)] {
        let Some(dir) = folder(name) else { return };
        let places = Places {
            mirrors: dir.parent().map(Path::to_path_buf).into_iter().collect(),
            network: false,
            ..places(data.path())
        };
        let dataset = open(name, &places, &mut |_| {}).unwrap();
        assert_eq!((dataset.interactions.len(), dataset.source.as_str()), (rows, "mirror"));
    }
}

#[test]
fn one_changed_byte_of_a_real_file_is_found() {
    let Some(mirror) = folder("itm-rec") else { return };
    let manifest = Manifest::named("itm-rec").unwrap();
    let copy = tempfile::tempdir().unwrap();
    let dir = copy.path().join("itm-rec");
    std::fs::create_dir(&dir).unwrap();
    for file in &manifest.layouts[0].files {
        std::fs::copy(mirror.join(&file.path), dir.join(&file.path)).unwrap();
    }
    let places = Places { network: false, ..places(copy.path()) };
    let mut bytes = std::fs::read(dir.join("ratings.csv")).unwrap();
    bytes[100_000] ^= 1;
    std::fs::remove_file(dir.join("ratings.csv")).unwrap();
    std::fs::write(dir.join("ratings.csv"), &bytes).unwrap();
    let error = locate(&manifest, &places).unwrap_err().to_string();
    assert!(error.contains("ratings.csv:5231: not the file of the manifest: found 154929 bytes"), "{error}");
    bytes[100_000] ^= 1;
    std::fs::write(dir.join("ratings.csv"), &bytes).unwrap();
    assert_eq!(locate(&manifest, &places).unwrap().source, "data-dir");
}
