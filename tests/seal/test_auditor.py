"""The auditor's cryptography against vectors that foreign programs made or accepted."""

from itertools import islice

import pytest
from auditor import Key, Tree, chacha20_block, hashed, salts_from, verify
from cryptography.exceptions import InvalidSignature

# transparency-dev/merkle, testonly: inputs of the leaves, and the root over the first 0, 1, … of them.
RFC_6962_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
RFC_6962_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

# Roots over the records "record 0", "record 1", …, as Go's sumdb packages and pymerkle find them.
LOG_ROOTS = {
    1: "3b367d6db7bc51726d918b18e9a79e0fce53f867fbe38671f609e6bb59d46035",
    2: "5c34a11205877ecf2c4f28e25495d08301b33dbfb862419f7946fa6fdf8124ef",
    3: "11139f0ae3789cb227ab8c3e57d66e8925e3adb96c24d57311832150d6ac905b",
    5: "ab5ba240d5c5f66d57c43fc3e948d87beca519d4da8b028b6c582fda7bbf99b4",
    6: "82f5c795482bda2c381dd6d771361424993aecbf82450c3fd8cd6eb13f379026",
    7: "6650979f6c878aad85f380ec89c9e2a7af10d2a64aa96a8918aa7f507b20f98e",
    8: "036ed096a7d3f31b5e8368cd4965acaf828b50cbf464089db58dbbbffa6dec1f",
    255: "12d20e0393b2b10464b55a5269dd066f0b836ea9512a34f13e3ad5c72575f43b",
    256: "dc9349f9787ed0086da6d97f679c51a5198f98e456e95b1d87fa3abc012fec31",
    257: "7bc95338d9eb756fddd6fcde386a6cd7692116c13bf5abef15dfb7e5358e68ae",
    300: "830df5c90aea65909c10e3ebcd7f9ba72de727a4209e04ca9fc1b59b48badae5",
}

# vkey, signed text, base64 of the signature line.
SIGNED = {
    "go-31700353": (
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "go.sum database tree\n31700353\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n",
        "Az3grnmrIUEDFqHzAElIQCPNoRFRAAdFo47fooyWKMHb89k11GJh5zHIfNCOBmwn/C3YI8oW9/C8DJ87F61QqspBYwM=",
    ),
    "go-35225469": (
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n",
        "Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCExixSfwQ=",
    ),
    "c2sp-signed-note": (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "This is an example message.\n",
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=",
    ),
    "own-log-300": (
        "example.com/logs/app+1608a558+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "example.com/logs/app\n300\ngw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=\n",
        "FgilWM+3aNal8RjRS1Ha6IvnW09K7/5fQNA9SQxb5zsc4W2B+C9ZcQ1DbHikhKaMdIbRGPNVW2C2bdP4q/Si8G4PMQc=",
    ),
}


@pytest.fixture(params=SIGNED.values(), ids=SIGNED.keys())
def signed(request):
    vkey, text, payload = request.param
    key = Key(vkey)
    return key, text.encode(), f"— {key.name} {payload}".encode()


def test_roots_are_those_of_rfc_6962():
    tree = Tree()
    roots = [tree.root().hex()]
    for leaf in RFC_6962_LEAVES:
        tree.append(bytes.fromhex(leaf))
        roots.append(tree.root().hex())

    assert roots == RFC_6962_ROOTS


def test_leaves_and_nodes_are_hashed_apart():
    leaf, node = hashed(b"\0", b"L123456"), hashed(b"\1", b"N123", b"N456")

    assert leaf.hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node.hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


def test_roots_of_a_growing_log():
    tree, roots = Tree(), {}
    for index in range(300):
        tree.append(f"record {index}".encode())
        roots[tree.size] = tree.root().hex()

    assert {size: roots[size] for size in LOG_ROOTS} == LOG_ROOTS


def test_a_frontier_is_the_perfect_subtrees_largest_first():
    tree = Tree()
    for index in range(6):
        tree.append(f"record {index}".encode())

    assert [root.hex() for root in tree.frontier] == [
        "550726662d8f1330f57665133dc5acdcc04add0d95df6a656205e24f7dcaa611",
        "d210d33b686399703790f51a20d02ac1b9ab14b9105b5a434a4e49f493713863",
    ]


def test_foreign_signatures_are_good(signed):
    key, text, line = signed

    key.check(text, line)


def test_another_text_is_not_signed(signed):
    key, text, line = signed

    with pytest.raises(InvalidSignature):
        key.check(text.replace(b"e", b"E", 1), line)


def test_every_other_bit_of_a_signature_line_is_refused(signed):
    key, text, line = signed
    for bit in range(8 * len(line)):
        other = bytearray(line)
        other[bit // 8] ^= 1 << bit % 8
        with pytest.raises((ValueError, InvalidSignature)):
            key.check(text, bytes(other))


@pytest.mark.parametrize(
    "vkey",
    [
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X",
        "example.com/foo+530d903a",
        "",
    ],
    ids=["id", "upper-case", "name", "cosignature", "no-key", "empty"],
)
def test_vkeys_that_are_not_a_logs(vkey):
    with pytest.raises(ValueError):
        Key(vkey)


def test_salts_are_the_key_stream():
    assert [salt.hex() for salt in islice(salts_from(bytes(range(32))), 3)] == [
        "39fd2b7dd9c5196a8dbd0377b8dc4a49",
        "8a35d86fbcde6accb2cc7d4cd8ea2492",
        "2b23cce7a26023ab3f0eef693ac87f64",
    ]


def test_the_second_block_has_the_next_counter():
    """RFC 8439, appendix A.1, test vector 2: key and nonce zero, block counter 1."""
    assert chacha20_block(bytes(32), 1)[:32].hex() == (
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
    )


def test_a_commitment_and_its_leaf():
    salt = next(salts_from(bytes(range(32))))
    commitment = hashed(b"\0", salt, b'{"level":"info","msg":"hello"}')
    tree = Tree()
    tree.append(b"\1\0" + commitment)

    assert commitment.hex() == "faec0316075b38fa3b18d4046104516e9fdf590944732392c00e2fe6e31a5878"
    assert tree.root().hex() == "7263a4091d55b375c65b97667cf8d4b49e863bfb07e98db2ad6791cb0afa9ca3"


def test_a_journal_without_checkpoints_is_a_failure(tmp_path):
    (tmp_path / "active").mkdir()
    (tmp_path / "active" / f"{0:020}.jsonl").write_text("{}\n")

    verdict = verify(tmp_path)

    assert (verdict.code, verdict.unpinned) == (1, True)
    assert "unsealed" in verdict.reason
