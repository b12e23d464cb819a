#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace portitor::test {

/// A certificate and its key, as PEM texts.
struct identity
{
    std::string certificate;
    std::string key;
};

/// When a certificate is valid, as "99991231235959Z"; empty: from a minute ago, for an hour.
struct validity
{
    std::string from = {};
    std::string until = {};
};

/// A certificate authority of this test alone, valid for an hour.
class authority
{
public:
    explicit authority(const std::string& name)
        : key_(new_key()), certificate_(make(name, "", key_.get(), nullptr))
    {}

    std::string certificate() const { return to_pem(certificate_.get()); }

    /// `names` are subject alternative names as OpenSSL writes them: "DNS:a,IP:127.0.0.1".
    identity issue(const std::string& common_name, const std::string& names, const validity& when = {}) const
    {
        const key_ptr key = new_key();
        return {to_pem(make(common_name, names, key.get(), this, when).get()), to_pem(key.get())};
    }

private:
    template <auto Free>
    struct freed
    {
        template <typename T>
        void operator()(T* what) const
        {
            Free(what);
        }
    };
    using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
    using certificate_ptr = std::unique_ptr<X509, freed<X509_free>>;
    using bio_ptr = std::unique_ptr<BIO, freed<BIO_free>>;
    using extension_ptr = std::unique_ptr<X509_EXTENSION, freed<X509_EXTENSION_free>>;

    static void check(bool good)
    {
        if (!good)
            throw std::runtime_error("OpenSSL cannot make a test certificate");
    }

    static key_ptr new_key()
    {
        key_ptr key(EVP_EC_gen("P-256"));
        check(key != nullptr);
        return key;
    }

    static void extend(X509* certificate, int what, const std::string& value)
    {
        const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str()));
        check(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
    }

    static certificate_ptr make(
        const std::string& name,
        const std::string& names,
        EVP_PKEY* key,
        const authority* issuer,
        const validity& when = {}
    )
    {
        static long serial = 0;
        certificate_ptr out(X509_new());
        check(out && X509_set_version(out.get(), X509_VERSION_3) == 1);
        ASN1_INTEGER_set(X509_get_serialNumber(out.get()), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(out.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(out.get()), 3600);
        if (!when.from.empty())
            check(ASN1_TIME_set_string_X509(X509_getm_notBefore(out.get()), when.from.c_str()) == 1);
        if (!when.until.empty())
            check(ASN1_TIME_set_string_X509(X509_getm_notAfter(out.get()), when.until.c_str()) == 1);
        X509_set_pubkey(out.get(), key);
        const std::basic_string<unsigned char> text(name.begin(), name.end());
        X509_NAME* subject = X509_get_subject_name(out.get());
        check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text.c_str(), -1, -1, 0) == 1);
        X509_set_issuer_name(out.get(), issuer ? X509_get_subject_name(issuer->certificate_.get()) : subject);
        extend(out.get(), NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
        if (!names.empty())
            extend(out.get(), NID_subject_alt_name, names);
        check(X509_sign(out.get(), issuer ? issuer->key_.get() : key, EVP_sha256()) > 0);
        return out;
    }

    static std::string text_of(BIO* bio)
    {
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio, &data);
        return std::string(data, static_cast<std::size_t>(size));
    }

    static std::string to_pem(X509* certificate)
    {
        const bio_ptr bio(BIO_new(BIO_s_mem()));
        check(PEM_write_bio_X509(bio.get(), certificate) == 1);
        return text_of(bio.get());
    }

    static std::string to_pem(EVP_PKEY* key)
    {
        const bio_ptr bio(BIO_new(BIO_s_mem()));
        check(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
        return text_of(bio.get());
    }

    key_ptr key_;
    certificate_ptr certificate_;
};

}  // namespace portitor::test
