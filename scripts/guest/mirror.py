"""What a guest fetches from the internet on AWS, for one that has only packages: archives of Go, and
images as a registry has them.

    mirror.py DIRECTORY CERTIFICATE KEY

DIRECTORY/go holds archives, and DIRECTORY/images what `docker save` writes: NAME/TAG.tar, an image each.
It listens at 127.0.0.1:443.
"""

import hashlib
import json
import ssl
import sys
import tarfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

directory, certificate, key = sys.argv[1:]
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
blobs: dict[str, tuple[Path, int, int]] = {}
manifests: dict[str, bytes] = {}


def offer(archive: Path, name: str) -> None:
    """Makes an image known: its parts stay where they are, in the archive."""
    with tarfile.open(archive) as tar:

        def part(path: str, kind: str) -> dict:
            member = tar.getmember(path)
            while member.issym():
                # Layers that are alike are one.
                member = tar.getmember(str((Path(member.name).parent / member.linkname)).replace("/../", "/"))
            content = hashlib.sha256()
            with tar.extractfile(member) as file:
                while block := file.read(1 << 20):
                    content.update(block)
            digest = "sha256:" + content.hexdigest()
            blobs[digest] = (archive, member.offset_data, member.size)
            return {"mediaType": kind, "size": member.size, "digest": digest}

        [image] = json.load(tar.extractfile("manifest.json"))
        kind = "application/vnd.docker.{}".format
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": part(image["Config"], kind("container.image.v1+json")),
            "layers": [part(path, kind("image.rootfs.diff.tar")) for path in image["Layers"]],
        }
    body = json.dumps(manifest).encode()
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    manifests[f"{name}/manifests/{archive.stem}"] = manifests[f"{name}/manifests/{digest}"] = body


class Mirror(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if not path.startswith("/v2/"):
            return super().do_GET()
        body, kind, piece = b"{}", "application/json", None
        if path != "/v2/":
            piece = blobs.get(path.rpartition("/")[2])
            body, kind = manifests.get(path.removeprefix("/v2/")), MANIFEST
            if piece:
                kind = "application/octet-stream"
            elif body is None:
                return self.send_error(404)
        self.send_response(200)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(piece[2] if piece else len(body)))
        if not piece:
            self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        self.end_headers()
        if self.command == "HEAD":
            return
        if not piece:
            self.wfile.write(body)
            return
        archive, offset, left = piece
        with archive.open("rb") as file:
            file.seek(offset)
            while left and (block := file.read(min(left, 1 << 20))):
                self.wfile.write(block)
                left -= len(block)

    def do_HEAD(self) -> None:
        if self.path.startswith("/v2/"):
            return self.do_GET()
        super().do_HEAD()


images = Path(directory, "images")
for archive in images.rglob("*.tar"):
    offer(archive, str(archive.parent.relative_to(images)))
server = ThreadingHTTPServer(("127.0.0.1", 443), lambda *given: Mirror(*given, directory=directory))
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
