"""What Python's huggingface_hub makes of a cache. Prints JSON.

usage: hub.py snapshot CACHE MODEL [PATTERN ...]   the snapshot's files with their sha256, or the name of the error
       hub.py files CACHE MODEL FILE ...           where each file lies, asked for one by one
       hub.py scan CACHE                           what `hf cache ls` would show, and what it warns about
"""
import hashlib
import json
import sys
from pathlib import Path

from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download

what, cache, *rest = sys.argv[1:]


def snapshot(model, *patterns):
    try:
        folder = Path(snapshot_download(model, cache_dir=cache, allow_patterns=patterns or None))
    except Exception as error:
        return {"error": type(error).__name__}
    files = [path for path in folder.rglob("*") if path.is_file()]
    digests = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"folder": str(folder), "files": digests}


def files(model, *names):
    return {name: hf_hub_download(model, name, cache_dir=cache) for name in names}


def scan():
    info = scan_cache_dir(cache)
    repos = [
        {
            "id": repo.repo_id,
            "refs": {ref: revision.commit_hash for ref, revision in repo.refs.items()},
            "files": sorted(file.file_name for revision in repo.revisions for file in revision.files),
        }
        for repo in info.repos
    ]
    return {"repos": repos, "warnings": [str(warning) for warning in info.warnings]}


print(json.dumps({"snapshot": snapshot, "files": files, "scan": scan}[what](*rest)))
