package emulator

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// snapshotReader is a snapshot that is there and of this version. Whether the
// states are right, their services tell.
type snapshotReader struct {
	head    snapshotHead
	file    io.ReaderAt
	entries []*zip.File
}

// openSnapshot reads the list of entries and the head. Every error is an
// errSnapshot.
func openSnapshot(file io.ReaderAt, size int64) (*snapshotReader, error) {
	z, err := zip.NewReader(file, size)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errSnapshot, err)
	}
	s := &snapshotReader{file: file, entries: z.File}
	head, err := s.read(headEntry)
	if err == nil {
		err = json.Unmarshal(head, &s.head)
	}
	if err == nil && s.head.Version != snapshotVersion {
		err = fmt.Errorf("version %d, not %d", s.head.Version, snapshotVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errSnapshot, err)
	}
	return s, nil
}

// stateOf returns what k wrote.
func (s *snapshotReader) stateOf(k namedKeeper) (state []byte, large blobs, err error) {
	if state, err = s.read(k.stateEntry()); err != nil {
		return nil, nil, err
	}
	large = blobs{}
	for _, entry := range s.entries {
		name, ok := strings.CutPrefix(entry.Name, k.blobEntry(""))
		if !ok {
			continue
		}
		if large[name], err = s.section(entry); err != nil {
			return nil, nil, err
		}
	}
	return state, large, nil
}

// read returns an entry and fails if its checksum does not match.
func (s *snapshotReader) read(name string) ([]byte, error) {
	for _, entry := range s.entries {
		if entry.Name != name {
			continue
		}
		r, err := entry.Open()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("%s is missing", name)
}

// section is an entry as it lies in the file.
func (s *snapshotReader) section(entry *zip.File) (*io.SectionReader, error) {
	offset, err := entry.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", entry.Name, err)
	}
	if entry.Method != zip.Store {
		return nil, fmt.Errorf("%s is compressed", entry.Name)
	}
	return io.NewSectionReader(s.file, offset, int64(entry.UncompressedSize64)), nil
}
