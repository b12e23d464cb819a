// Memory that is not there is an exception, which costs one key or one request. mimalloc's own operator new,
// being written in C, ends the process without a word; its malloc and free are used all the same.

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

void* or_throw(void* piece)
{
    if (piece == nullptr)
        throw std::bad_alloc();
    return piece;
}

void* allocate(std::size_t size) noexcept
{
    return std::malloc(std::max<std::size_t>(size, 1));
}

void* allocate(std::size_t size, std::align_val_t alignment) noexcept
{
    const auto align = static_cast<std::size_t>(alignment);
    const std::size_t whole = (std::max<std::size_t>(size, 1) + align - 1) / align * align;
    return whole < size ? nullptr : std::aligned_alloc(align, whole);
}

}  // namespace

void* operator new(std::size_t size)
{
    return or_throw(allocate(size));
}
void* operator new[](std::size_t size)
{
    return or_throw(allocate(size));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept
{
    return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment)
{
    return or_throw(allocate(size, alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment)
{
    return or_throw(allocate(size, alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept
{
    return allocate(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept
{
    return allocate(size, alignment);
}
void operator delete(void* piece) noexcept
{
    std::free(piece);
}
void operator delete[](void* piece) noexcept
{
    std::free(piece);
}
void operator delete(void* piece, std::size_t) noexcept
{
    std::free(piece);
}
void operator delete[](void* piece, std::size_t) noexcept
{
    std::free(piece);
}
void operator delete(void* piece, const std::nothrow_t&) noexcept
{
    std::free(piece);
}
void operator delete[](void* piece, const std::nothrow_t&) noexcept
{
    std::free(piece);
}
void operator delete(void* piece, std::align_val_t) noexcept
{
    std::free(piece);
}
void operator delete[](void* piece, std::align_val_t) noexcept
{
    std::free(piece);
}
void operator delete(void* piece, std::size_t, std::align_val_t) noexcept
{
    std::free(piece);
}
void operator delete[](void* piece, std::size_t, std::align_val_t) noexcept
{
    std::free(piece);
}
void operator delete(void* piece, std::align_val_t, const std::nothrow_t&) noexcept
{
    std::free(piece);
}
void operator delete[](void* piece, std::align_val_t, const std::nothrow_t&) noexcept
{
    std::free(piece);
}
