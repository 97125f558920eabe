package lambda

import (
	"debug/elf"
	"encoding/binary"
)

// An entry begins with bti c: where the processor guards indirect branches, they
// may only land on that; elsewhere it does nothing.
const btiC = 0xd503245f

// AAPCS64: what is used here besides the arguments, x2 to x5 and x8, belongs to
// the called. There is no time(2) on arm64.
var stub = clockStub{
	machine: elf.EM_AARCH64,
	offset:  38 * 4,
	entries: map[string]int{"__kernel_clock_gettime": 0, "__kernel_gettimeofday": 20 * 4},
	code: words(
		// 0: int clock_gettime(w0 clock, x1 *timespec)
		btiC,
		0xaa0003e2, // mov x2, x0
		0xd2800e28, // mov x8, 113: clock_gettime
		0xd4000001, // svc 0
		0x350001e0, // cbnz w0, 19
		0x34000062, // cbz w2, 8: CLOCK_REALTIME
		0x7100145f, // cmp w2, 5: CLOCK_REALTIME_COARSE
		0x54000181, // b.ne 19
		0xa9401023, // 8: ldp x3, x4, [x1]
		0x580003a5, // ldr x5, 38
		0x8b050063, // add x3, x3, x5
		0x580003a5, // ldr x5, 40
		0x8b050084, // add x4, x4, x5
		0x580003e5, // ldr x5, 44
		0xeb05009f, // cmp x4, x5
		0x5400006b, // b.lt 18
		0xcb050084, // sub x4, x4, x5
		0x91000463, // add x3, x3, 1
		0xa9001023, // 18: stp x3, x4, [x1]
		0xd65f03c0, // 19: ret

		// 20: int gettimeofday(x0 *timeval, x1 *timezone)
		btiC,
		0xaa0003e2, // mov x2, x0
		0xd2801528, // mov x8, 169: gettimeofday
		0xd4000001, // svc 0
		0x350001a0, // cbnz w0, 37
		0xb4000182, // cbz x2, 37
		0xa9401043, // ldp x3, x4, [x2]
		0x58000165, // ldr x5, 38
		0x8b050063, // add x3, x3, x5
		0x580001a5, // ldr x5, 42
		0x8b050084, // add x4, x4, x5
		0x580001e5, // ldr x5, 46
		0xeb05009f, // cmp x4, x5
		0x5400006b, // b.lt 36
		0xcb050084, // sub x4, x4, x5
		0x91000463, // add x3, x3, 1
		0xa9001043, // 36: stp x3, x4, [x2]
		0xd65f03c0, // 37: ret

		0, 0, // 38: seconds
		0, 0, // 40: nanoseconds
		0, 0, // 42: microseconds
		1_000_000_000, 0, // 44
		1_000_000, 0, // 46
	),
	jump: func(from, to uint64) []byte { // bti c; b to
		return words(btiC, 0x14000000|uint32(to-from-4)>>2&0x03ffffff)
	},
}

func words(all ...uint32) []byte {
	var b []byte
	for _, w := range all {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}
