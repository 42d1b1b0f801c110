//! Archives of all sorts, good and hostile.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use archive::{ArchiveError, Limits, Packer, gunzip, unpack, unpack_folder};
use bytes::Bytes;
use source_tree::{Kind, MemoryTree, Tree, TreePath};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn packed(fill: impl FnOnce(&mut Packer<Vec<u8>>)) -> Bytes {
    let mut packer = Packer::new(Vec::new());
    fill(&mut packer);
    packer.finish().unwrap().into()
}

fn tree(fill: impl FnOnce(&mut Packer<Vec<u8>>)) -> Result<MemoryTree, ArchiveError> {
    unpack(packed(fill), true, Limits::default())
}

/// An archive without compression, changed by hand.
fn raw(fill: impl FnOnce(&mut Packer<Vec<u8>>)) -> Vec<u8> {
    gunzip(&packed(fill), 1 << 20).unwrap().to_vec()
}

#[test]
fn what_is_packed_comes_out_again() {
    let long = format!("{}/{}", "folder".repeat(20), "name".repeat(30));
    let tree = tree(|packer| {
        packer.folder("chart").unwrap();
        packer.file("chart/Chart.yaml", b"name: x\n", false).unwrap();
        packer.file("./chart/run", b"#!", true).unwrap();
        packer.file(&long, &[7; 1000], false).unwrap();
        packer.link("chart/link", "../chart/Chart.yaml").unwrap();
        packer.link("far", &long).unwrap();
    })
    .unwrap();
    assert_eq!(&tree.read(&path("chart/Chart.yaml")).unwrap()[..], b"name: x\n");
    assert_eq!(tree.entry(&path("chart/run")).unwrap().unwrap().kind, Kind::Executable);
    assert_eq!(tree.read(&path(&long)).unwrap().len(), 1000);
    assert_eq!(&tree.read(&path("chart/link")).unwrap()[..], b"name: x\n");
    assert_eq!(tree.read(&path("far")).unwrap().len(), 1000);
}

#[test]
fn what_leads_out_is_refused() {
    for name in ["../x", "a/../../x", "/etc/x", "a\0/../../x"] {
        let made = tree(|packer| packer.file(name, b"x", false).unwrap());
        if name.contains('\0') {
            // Names end at a NUL: what is left of this one is harmless.
            assert!(made.is_ok());
            continue;
        }
        assert_eq!(made.err(), Some(ArchiveError::IllegalName(name.to_owned())), "{name}");
    }
    for target in ["../x", "/etc/passwd", "a/../../x"] {
        let made = tree(|packer| packer.link("l", target).unwrap());
        assert!(matches!(made, Err(ArchiveError::IllegalLink(_))), "{target}");
    }
    let through = tree(|packer| {
        packer.link("a", "b").unwrap();
        packer.file("a/x", b"x", false).unwrap();
    });
    assert_eq!(through.err(), Some(ArchiveError::Misplaced("a/x".into())));
}

#[test]
fn what_expands_too_far_ends_early() {
    let bomb = packed(|packer| packer.file("zeros", &vec![0; 8 << 20], false).unwrap());
    assert!(bomb.len() < 64 << 10);
    let limits = Limits { bytes: 1 << 20, members: 10 };
    let refused = unpack(bomb, true, limits).err();
    assert_eq!(refused, Some(ArchiveError::TooLarge { what: "bytes unpacked", limit: 1 << 20 }));
    let many = packed(|packer| {
        for number in 0..11 {
            packer.file(&number.to_string(), b"", false).unwrap();
        }
    });
    assert_eq!(unpack(many, true, limits).err(), Some(ArchiveError::TooLarge { what: "members", limit: 10 }));
}

#[test]
fn what_is_broken_is_an_error() {
    let whole = raw(|packer| packer.file("a", &[1; 2000], false).unwrap());
    let of = |bytes: Vec<u8>| unpack(bytes.into(), false, Limits::default()).err();
    assert_eq!(of(whole.clone()), None);
    assert_eq!(of(whole[..1000].to_vec()), Some(ArchiveError::Cut));
    let mut header = whole.clone();
    header[124] = b'x';
    assert_eq!(of(header), Some(ArchiveError::Header));
    let mut huge = whole.clone();
    huge[124..136].fill(0xff);
    assert!(of(huge).is_some());
    let not_packed = unpack(whole.into(), true, Limits::default());
    assert!(matches!(not_packed, Err(ArchiveError::Gzip(_))));
    assert_eq!(of(Vec::new()), None);
}

#[test]
fn a_hard_link_is_the_file_it_names() {
    let linked = |target: &str| {
        let mut bytes = raw(|packer| {
            packer.file("a", b"content", false).unwrap();
            packer.link("b", target).unwrap();
        });
        bytes[1024 + 156] = b'1';
        unpack(bytes.into(), false, Limits::default())
    };
    assert_eq!(&linked("a").unwrap().read(&path("b")).unwrap()[..], b"content");
    assert!(matches!(linked("c"), Err(ArchiveError::DanglingHardLink { .. })));
}

#[test]
fn a_chart_is_the_folder_of_its_name() {
    let of = |names: &[&str], wanted: Option<&str>| {
        let archive = packed(|packer| {
            for name in names {
                packer.file(name, b"x", false).unwrap();
            }
        });
        unpack_folder(archive, true, Limits::default(), wanted)
    };
    let chart = of(&["db/Chart.yaml", "other/Chart.yaml"], Some("db")).unwrap();
    assert!(chart.entry(&path("Chart.yaml")).unwrap().is_some());
    assert!(of(&["./x/Chart.yaml"], Some("db")).unwrap().entry(&path("Chart.yaml")).unwrap().is_some());
    assert_eq!(of(&["a/x", "b/x"], None).err(), Some(ArchiveError::Folders(2)));
    assert_eq!(of(&[], None).err(), Some(ArchiveError::Folders(0)));
    let outside = packed(|packer| packer.link("db/values.yaml", "../secret").unwrap());
    let outside = unpack_folder(outside, true, Limits::default(), Some("db"));
    assert!(matches!(outside, Err(ArchiveError::IllegalLink(_))));
}
