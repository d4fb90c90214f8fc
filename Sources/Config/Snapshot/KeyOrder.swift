// The order of documents in a snapshot: by the bytes of their keys. Sorts within memory that the
// caller has; the standard library's sort would allocate, and a failed allocation there is a trap.

/// Sorts documents by the bytes of their keys.
///
/// - `scratch`: room for as many documents, with undefined content afterwards.
package func sortByKey(
    _ documents: UnsafeMutableBufferPointer<Document>, scratch: UnsafeMutableRawPointer
) {
    sort(documents, scratch: scratch) { compareBytes($0.key, $1.key) < 0 }
}

/// Sorts items that are no more than their bytes. What is sorted already, or is made of a few
/// sorted runs, costs little more than one comparison an item.
///
/// - `scratch`: room for as many items, with undefined content afterwards.
@inline(__always)
package func sort<Item>(
    _ sorted: UnsafeMutableBufferPointer<Item>, scratch: UnsafeMutableRawPointer,
    by isBefore: (Item, Item) -> Bool
) {
    let count = sorted.count
    guard count > 1, let items = sorted.baseAddress else { return }
    let buffer = scratch.bindMemory(to: Item.self, capacity: count)
    var width = 1
    while width < count {
        var start = 0
        while start < count - width {
            let middle = start + width
            let end = min(middle + width, count)
            if !isBefore(items[middle - 1], items[middle]) {
                merge(items, start, middle, end, buffer, isBefore)
            }
            start = end
        }
        width *= 2
    }
}

/// Merges the sorted runs [start, middle) and [middle, end); only the first one moves to the
/// buffer. Not private, since `sort` becomes part of other modules.
@inline(__always)
func merge<Item>(
    _ items: UnsafeMutablePointer<Item>, _ start: Int, _ middle: Int, _ end: Int,
    _ buffer: UnsafeMutablePointer<Item>, _ isBefore: (Item, Item) -> Bool
) {
    let count = middle - start
    buffer.update(from: items + start, count: count)
    var (left, right, target) = (0, middle, start)
    while left < count {
        if right < end, isBefore(items[right], buffer[left]) {
            items[target] = items[right]
            right += 1
        } else {
            items[target] = buffer[left]
            left += 1
        }
        target += 1
    }
}
