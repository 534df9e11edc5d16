"""The stored records of a segment in a file of arrays: bytes by document, packed in blocks.

A block holds about 16 documents one after another (fewer where they are large), as one Zstandard frame (RFC
8878) that states its size and its checksum. Four arrays: `records.blocks` uint8, the frames one after
another; `records.offsets` uint64 [blocks + 1], where each begins; `records.firsts` uint32 [blocks + 1], the
first document of each; `records.lengths` uint32 [documents], bytes of each record.

Level 3 makes 16 records of 4 KB 0.29 of their size at 260 MB/s, and unpacks them at 1,100; zlib at its
level 6 makes them 0.28 at 34 MB/s and unpacks them at 340.

>>> import tempfile; from pathlib import Path; path = Path(tempfile.mkdtemp()) / "example.seg"
>>> packer = Packer()
>>> blocks = packer.add(b'{"phase":2}') + packer.add(b'{"phase":3}') + packer.finish()
>>> with ArrayWriter(path) as writer:
...     records = RecordWriter(writer)
...     for block in blocks:
...         records.append_block(block)
...     records.finish()
>>> records = Records(ArrayFile(path))
>>> len(records), records[1]
(2, b'{"phase":3}')
>>> records[2]
Traceback (most recent call last):
    ...
IndexError: no record 2 among 2
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt
from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError, get_frame_parameters

from trialindex.errors import IndexDamaged
from trialindex.frozen import frozen
from trialindex.segments.arrays import ArrayFile, ArrayWriter

__all__ = ["Block", "Packer", "RecordWriter", "Records"]

_LEVEL = 3
# A block is complete with so many documents, or before it would exceed so many bytes.
_DOCUMENTS = 16
_BYTES = 1 << 16
# Bytes of the greatest record; no source gives one as large.
_MOST_RECORD = 1 << 28
# Unpacked blocks that a reader keeps: a page of results asks for neighbours, then for the same again.
_CACHED = 8


@frozen
class Block:
    """A block as it lies on disk.

    `frame`: its packed bytes. `lengths`: bytes of each of its records, uint32 [documents].
    """

    frame: bytes
    lengths: npt.NDArray[np.uint32]

    @property
    def full(self) -> bool:
        """Whether it is at least half of what a block may hold: packing it anew with others gains little."""
        return 2 * len(self.lengths) >= _DOCUMENTS or 2 * int(self.lengths.sum(dtype=np.int64)) >= _BYTES


class Packer:
    """Packs records into blocks as they come. `waiting`: bytes of records that make no block yet."""

    def __init__(self) -> None:
        self._compressor = ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._records: list[bytes] = []
        self.waiting = 0

    def add(self, data: bytes) -> list[Block]:
        """Take the record of the next document, and return the blocks that are complete. Raises ValueError
        where it is larger than any may be.
        """
        if len(data) > _MOST_RECORD:
            raise ValueError(f"a record of {len(data)} bytes; none may have more than {_MOST_RECORD}")
        complete = self.finish() if self.waiting + len(data) > _BYTES else []
        self._records.append(data)
        self.waiting += len(data)
        return complete + self.finish() if len(self._records) == _DOCUMENTS else complete

    def finish(self) -> list[Block]:
        """Return the block of what waits, if anything does."""
        if not self._records:
            return []
        lengths = np.fromiter(map(len, self._records), np.uint32, len(self._records))
        block = Block(self._compressor.compress(b"".join(self._records)), lengths)
        self._records = []
        self.waiting = 0
        return [block]


class RecordWriter:
    """Writes packed records, block after block."""

    def __init__(self, writer: ArrayWriter) -> None:
        self._blocks = writer.stream("records.blocks", np.uint8)
        self._offsets = writer.stream("records.offsets", np.uint64)
        self._firsts = writer.stream("records.firsts", np.uint32)
        self._lengths = writer.stream("records.lengths", np.uint32)

    def append_block(self, block: Block) -> None:
        """Add the records of the next documents, as a `Packer` or a reader's `blocks` gives them."""
        self._begin()
        self._blocks.append(np.frombuffer(block.frame, np.uint8))
        self._lengths.append(block.lengths)

    def _begin(self) -> None:
        """Note where a block begins, or the last one ended."""
        self._offsets.append(np.array([self._blocks.count], np.uint64))
        self._firsts.append(np.array([self._lengths.count], np.uint32))

    def finish(self) -> None:
        """Complete the records."""
        self._begin()
        for stream in (self._blocks, self._offsets, self._firsts, self._lengths):
            stream.close()


class Records:
    """The stored records, to be read. Safe to share between threads.

    Raises IndexDamaged where they are not as they were written. A record takes no more memory than its block,
    and a block no more than its records' lengths state.
    """

    def __init__(self, file: ArrayFile) -> None:
        self._file = file
        self._frames = file.get("records.blocks", np.uint8)
        self._offsets = file.get("records.offsets", np.uint64)
        self._firsts = file.get("records.firsts", np.uint32)
        self._lengths = file.get("records.lengths", np.uint32)
        fits = 0 < len(self._firsts) == len(self._offsets)
        if not fits or self._offsets[-1] != len(self._frames) or self._firsts[-1] != len(self._lengths):
            raise file.damaged("the parts of its stored records do not fit together")
        self._lock = threading.Lock()
        self._unpacker = ZstdDecompressor()
        self._kept: OrderedDict[int, list[bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lengths)

    def __getitem__(self, doc: int) -> bytes:
        """Return the record of a document. Raises IndexError where there is no such document."""
        if not 0 <= doc < len(self):
            raise IndexError(f"no record {doc} among {len(self)}")
        number = bisect_right(self._firsts.data, doc) - 1
        first = self._bounds(number)[0]
        records = self._unpacked(number)
        if not 0 <= doc - first < len(records):
            raise self._damaged(number)
        return records[doc - first]

    def _unpacked(self, number: int) -> list[bytes]:
        with self._lock:
            known = self._kept.pop(number, None) or self._unpack(number)
            if len(known) > 1:  # a record by itself may be huge
                self._kept[number] = known
                if len(self._kept) > _CACHED:
                    self._kept.popitem(last=False)
            return known

    def _bounds(self, number: int) -> tuple[int, int]:
        """Return the first document of a block, and the one after its last."""
        if not 0 <= number < len(self._firsts) - 1:
            raise self._damaged(number)
        first, last = int(self._firsts[number]), int(self._firsts[number + 1])
        if not first <= last <= len(self._lengths):
            raise self._damaged(number)
        return first, last

    def _block(self, number: int) -> Block:
        first, last = self._bounds(number)
        start, stop = int(self._offsets[number]), int(self._offsets[number + 1])
        if not start <= stop <= len(self._frames):
            raise self._damaged(number)
        return Block(self._frames[start:stop].tobytes(), self._lengths[first:last])

    def _unpack(self, number: int) -> list[bytes]:
        block = self._block(number)
        ends = list(accumulate(block.lengths.tolist(), initial=0))
        # A writer puts a record larger than a block by itself.
        most = _BYTES if len(block.lengths) > 1 else _MOST_RECORD
        try:
            # The frame's own size is what the unpacker allocates.
            if get_frame_parameters(block.frame).content_size != ends[-1] or ends[-1] > most:
                raise self._damaged(number)
            data = self._unpacker.decompress(block.frame, allow_extra_data=False)
        except ZstdError as error:
            raise self._damaged(number) from error
        return [data[start:stop] for start, stop in pairwise(ends)]

    def _damaged(self, number: int) -> IndexDamaged:
        return self._file.damaged(f"block {number} of its stored records cannot be unpacked")

    def blocks(self) -> Iterator[tuple[int, Block]]:
        """Yield (first document, block) of all blocks in order, as they lie on disk."""
        for number in range(len(self._firsts) - 1):
            yield self._bounds(number)[0], self._block(number)
