#include <portitor/evm/signer.hpp>

namespace portitor::evm {

namespace {

class local_signer final : public signer
{
public:
    explicit local_signer(private_key key) : key_(std::move(key)) {}

    const address& account() const override { return key_.address(); }

    boost::asio::awaitable<result<signed_transaction>> sign(transaction what) override
    {
        co_return with_signature(what, key_.sign(signing_hash(what)));
    }

private:
    private_key key_;
};

}  // namespace

std::unique_ptr<signer> make_local_signer(private_key key)
{
    return std::make_unique<local_signer>(std::move(key));
}

}  // namespace portitor::evm
