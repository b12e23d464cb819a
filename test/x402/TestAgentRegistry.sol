// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// Stands in for an ERC-8004 identity registry: same selectors, event topics, log order and
// revert kinds that a registrar depends on. Written for tests; not for deployment on a real network.
contract TestAgentRegistry {
    struct MetadataEntry { string metadataKey; bytes metadataValue; }

    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event MetadataUpdate(uint256 tokenId);
    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);
    event MetadataSet(uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue);
    event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy);
    error ERC721NonexistentToken(uint256 tokenId);
    error ERC721InvalidReceiver(address receiver);

    uint256 private count;
    mapping(uint256 => address) private holder;
    mapping(uint256 => string) private uri;
    mapping(address => uint256) public balanceOf;
    mapping(uint256 => mapping(bytes32 => bytes)) private meta;

    function getVersion() external pure returns (string memory) { return "test-double"; }
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x80ac58cd || id == 0x5b5e139f || id == 0x49064906;
    }
    function ownerOf(uint256 id) public view returns (address a) {
        a = holder[id];
        if (a == address(0)) revert ERC721NonexistentToken(id);
    }
    function tokenURI(uint256 id) external view returns (string memory) { ownerOf(id); return uri[id]; }
    function getMetadata(uint256 id, string memory key) external view returns (bytes memory) { return meta[id][keccak256(bytes(key))]; }
    function getAgentWallet(uint256 id) external view returns (address) { return address(bytes20(meta[id][keccak256("agentWallet")])); }

    function register() external returns (uint256) { return mint("", false); }
    function register(string memory u) external returns (uint256) { return mint(u, true); }
    function register(string memory u, MetadataEntry[] memory m) external returns (uint256 id) {
        id = mint(u, true);
        for (uint256 i; i < m.length; ++i) put(id, m[i].metadataKey, m[i].metadataValue, false);
    }
    function setAgentURI(uint256 id, string calldata u) external {
        mine(id);
        uri[id] = u;
        emit MetadataUpdate(id);
        emit URIUpdated(id, u, msg.sender);
    }
    function setMetadata(uint256 id, string memory key, bytes memory value) external { mine(id); put(id, key, value, false); }
    function transferFrom(address from, address to, uint256 id) external {
        mine(id);
        require(to != address(0) && from == holder[id], "bad transfer");
        put(id, "agentWallet", "", true);
        holder[id] = to; --balanceOf[from]; ++balanceOf[to];
        emit Transfer(from, to, id);
    }

    function mine(uint256 id) private view { require(ownerOf(id) == msg.sender, "Not authorized"); }
    function put(uint256 id, string memory key, bytes memory value, bool internalCall) private {
        bytes32 h = keccak256(bytes(key));
        require(internalCall || h != keccak256("agentWallet"), "reserved key");
        meta[id][h] = value;
        emit MetadataSet(id, key, key, value);
    }
    function mint(string memory u, bool withUri) private returns (uint256 id) {
        id = count++;
        holder[id] = msg.sender; ++balanceOf[msg.sender];
        emit Transfer(address(0), msg.sender, id);
        if (msg.sender.code.length > 0) {
            (bool ok, bytes memory answer) = msg.sender.call(abi.encodeWithSelector(0x150b7a02, msg.sender, address(0), id, ""));
            if (!ok || answer.length < 32 || bytes4(bytes32(answer)) != 0x150b7a02) revert ERC721InvalidReceiver(msg.sender);
        }
        if (withUri) { uri[id] = u; emit MetadataUpdate(id); }
        emit Registered(id, u, msg.sender);
        put(id, "agentWallet", abi.encodePacked(msg.sender), true);
    }
}
