#include "kube/pem.hpp"

#include <boost/beast/core/detail/base64.hpp>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

namespace portitor::kube {

namespace base64 = boost::beast::detail::base64;

namespace {

template <auto Free>
struct freed
{
    template <typename T>
    void operator()(T* what) const
    {
        Free(what);
    }
};
using bio_ptr = std::unique_ptr<BIO, freed<BIO_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed<X509_free>>;

// Without it OpenSSL asks for the passphrase of an encrypted key on the terminal.
int no_passphrase(char*, int, int, void*)
{
    return -1;
}

bio_ptr reader_of(const std::string& text)
{
    return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace

bool is_pem(std::string_view text)
{
    const std::string_view end_mark = "-----END ";
    const auto begin = text.rfind("-----BEGIN ");
    const auto end = begin == text.npos ? begin : text.find(end_mark, begin);
    return end != text.npos && text.find("-----", end + end_mark.size()) != text.npos;
}

bool may_belong_together(const std::string& certificate, const std::string& private_key)
{
    const bio_ptr certificate_text = reader_of(certificate);
    const bio_ptr key_text = reader_of(private_key);
    const certificate_ptr read(PEM_read_bio_X509(certificate_text.get(), nullptr, no_passphrase, nullptr));
    const key_ptr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_passphrase, nullptr));
    const bool belong = !read || !key || X509_check_private_key(read.get(), key.get()) == 1;
    ERR_clear_error();
    return belong;
}

std::string pem_from_base64(std::string_view text)
{
    std::string packed(text);
    std::erase_if(packed, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    // decoded_size() counts whole groups of four only; text without padding ends in a part of one.
    std::string out(base64::decoded_size(packed.size() + 3), '\0');
    out.resize(base64::decode(out.data(), packed.data(), packed.size()).first);
    return is_pem(out) ? out : std::string();
}

std::string to_base64(std::string_view bytes)
{
    std::string out(base64::encoded_size(bytes.size()), '\0');
    out.resize(base64::encode(out.data(), bytes.data(), bytes.size()));
    return out;
}

bool is_bearer_token(std::string_view text)
{
    const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
    return !text.empty() && std::all_of(text.begin(), text.end(), printable);
}

}  // namespace portitor::kube
