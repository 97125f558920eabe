package emulator_test

import (
	"testing"

	"fanfare/localstack/emulator"
	"fanfare/scripts/artifact"
)

// BenchmarkRestore measures how long a cloud takes to load Fanfare's stack, as
// each start of a kept one does, and what it allocates: the functions' 22 MB of
// code must not be in it.
func BenchmarkRestore(b *testing.B) {
	zips, err := artifact.Build(b.Context(), "../..", b.TempDir(), artifact.Host)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	cloud, r := embed(b, emulator.New, emulator.Options{DataDir: dir, SaveOnClose: true})
	localCloud{rig: r}.deployFanfare(zips)
	if err := cloud.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		cloud, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0", DataDir: dir})
		if err == nil {
			err = cloud.Start()
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := cloud.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
