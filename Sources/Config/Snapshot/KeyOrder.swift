// The order of documents in a snapshot: by the bytes of their keys. Sorts within memory that the
// caller has; the standard library's sort would allocate, and a failed allocation there is a trap.

/// Sorts documents by the bytes of their keys. What is sorted already, or is made of a few sorted
/// runs, costs little more than one comparison a document.
///
/// - `scratch`: room for as many documents, with undefined content afterwards.
package func sortByKey(
    _ documents: UnsafeMutableBufferPointer<Document>, scratch: UnsafeMutableRawPointer
) {
    let count = documents.count
    guard count > 1, let items = documents.baseAddress else { return }
    let buffer = scratch.bindMemory(to: Document.self, capacity: count)
    var width = 1
    while width < count {
        var start = 0
        while start < count - width {
            let middle = start + width
            let end = min(middle + width, count)
            if !isBefore(items[middle - 1], items[middle]) {
                merge(items, start, middle, end, buffer)
            }
            start = end
        }
        width *= 2
    }
}

/// Merges the sorted runs [start, middle) and [middle, end); only the first one moves to the
/// buffer.
private func merge(
    _ items: UnsafeMutablePointer<Document>, _ start: Int, _ middle: Int, _ end: Int,
    _ buffer: UnsafeMutablePointer<Document>
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

private func isBefore(_ a: Document, _ b: Document) -> Bool {
    compareBytes(a.key, b.key) < 0
}
