//! The files of a cgroup that were collected one by one, as the one text that they are only understood in.

use super::Input;
use crate::artefact::cgroup_files;

/// Those that lie in one folder as one input, behind the others.
pub(super) fn together(inputs: Vec<Input>) -> Vec<Input> {
    let (files, mut others): (Vec<_>, Vec<_>) =
        inputs.into_iter().partition(|input| cgroup_files::name(&input.name).is_some() && input.excerpts.len() == 1);
    let mut folders: Vec<(String, Vec<Input>)> = Vec::new();
    for file in files {
        let folder = cgroup_files::folder(&file.name);
        match folders.iter_mut().find(|(known, _)| known == folder) {
            Some((_, group)) => group.push(file),
            None => folders.push((folder.to_owned(), vec![file])),
        }
    }
    others.extend(folders.into_iter().map(|(folder, files)| {
        let named = files.iter().filter_map(|input| Some((cgroup_files::name(&input.name)?, input.excerpts.first()?)));
        Input {
            name: if folder.is_empty() { "memory.*".to_owned() } else { format!("{folder}/memory.*") },
            excerpts: vec![cgroup_files::together(named)],
            bytes: files.iter().map(|input| input.bytes).sum(),
            lines: files.iter().map(|input| input.lines).sum(),
            left_out: files.iter().flat_map(|input| input.left_out.clone()).collect(),
        }
    }));
    others
}
