package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
	// Inclusion proofs at most, spread over the tree; the leaf hash of every entry is compared.
	maxProofs = 2000
)

// tiles is a directory with C2SP's paths, which are those of tlog without the height.
type tiles string

func (directory tiles) Height() int                     { return height }
func (directory tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (directory tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for at, tile := range wanted {
		var err error
		if data[at], err = directory.read(tile, "tile/8/", "tile/"); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (directory tiles) read(tile tlog.Tile, from, to string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(directory), strings.Replace(tile.Path(), from, to, 1)))
}

func (directory tiles) entries(bundle tlog.Tile) (found [][]byte, err error) {
	data, err := directory.read(bundle, "tile/8/0/", "tile/entries/")
	for len(data) >= 2 && len(data)-2 >= int(binary.BigEndian.Uint16(data)) {
		end := 2 + int(binary.BigEndian.Uint16(data))
		found, data = append(found, data[2:end]), data[end:]
	}
	if err == nil && (len(data) > 0 || len(found) != bundle.W) {
		err = fmt.Errorf("bundle %d: %d whole entries, want %d", bundle.N, len(found), bundle.W)
	}
	return found, err
}

// parseTree lends a checkpoint the origin that tlog insists on.
func parseTree(text string) (tlog.Tree, error) {
	_, rest, _ := strings.Cut(text, "\n")
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func checkTiles(directory tiles, vkeys []string) (int64, error) {
	message, err := os.ReadFile(filepath.Join(string(directory), "checkpoint"))
	if err != nil {
		return 0, err
	}
	text, err := open(string(message), vkeys)
	if err != nil {
		return 0, err
	}
	tree, err := parseTree(text)
	if err != nil {
		return 0, err
	}
	rebuilt, err := checkEntries(directory, tree)
	if err != nil {
		return 0, err
	}
	return tree.N, checkPrefixes(directory, tree, rebuilt)
}

// checkEntries finds every entry in the authenticated tiles, and rebuilds the tree without them.
func checkEntries(directory tiles, tree tlog.Tree) (rebuilt hashes, err error) {
	published := tlog.TileHashReader(tree, directory)
	step := 1 + (tree.N-1)/maxProofs
	for first := int64(0); first < tree.N; first += width {
		bundle := tlog.Tile{H: height, N: first / width, W: int(min(width, tree.N-first))}
		entries, err := directory.entries(bundle)
		if err != nil {
			return nil, err
		}
		leaves, err := tlog.ReadTileData(bundle, published)
		if err != nil {
			return nil, err
		}
		for at, entry := range entries {
			index, leaf := first+int64(at), tlog.RecordHash(entry)
			if leaf != tlog.Hash(leaves[at*tlog.HashSize:(at+1)*tlog.HashSize]) {
				return nil, fmt.Errorf("entry %d is not the one in its tile", index)
			}
			if index%step == 0 || index == tree.N-1 {
				proof, err := tlog.ProveRecord(tree.N, index, published)
				if err == nil {
					err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf)
				}
				if err != nil {
					return nil, fmt.Errorf("entry %d: %w", index, err)
				}
			}
			more, err := tlog.StoredHashesForRecordHash(index, leaf, rebuilt)
			if err != nil {
				return nil, err
			}
			rebuilt = append(rebuilt, more...)
		}
	}
	return rebuilt, nil
}

// checkPrefixes proves from the tiles that smaller trees, rebuilt from entries, grew into this one.
func checkPrefixes(directory tiles, tree tlog.Tree, rebuilt hashes) error {
	whole, err := tlog.TreeHash(tree.N, rebuilt)
	if err == nil && whole != tree.Hash {
		err = fmt.Errorf("the entries have root %v, the checkpoint %v", whole, tree.Hash)
	}
	published := tlog.TileHashReader(tree, directory)
	for _, size := range []int64{1, 2, 3, 255, 256, 257, tree.N / 3, tree.N / 2, tree.N - 1, tree.N} {
		if err != nil || size < 1 || size > tree.N {
			continue
		}
		prefix, _ := tlog.TreeHash(size, rebuilt)
		proof, unproven := tlog.ProveTree(tree.N, size, published)
		if unproven == nil {
			unproven = tlog.CheckTree(proof, tree.N, tree.Hash, size, prefix)
		}
		if unproven != nil {
			err = fmt.Errorf("size %d: %w", size, unproven)
		}
	}
	return err
}

// hashes is a tree in memory, in tlog's order of storage.
type hashes []tlog.Hash

func (stored hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		found[at] = stored[index]
	}
	return found, nil
}
