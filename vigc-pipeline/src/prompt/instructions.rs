//! Instructions: the prompts that ask VIG for a question and its answer.

/// Instructions of LLaVA's conversations (`vigc_train.py`, `LlavaConvDataset`). Data is generated with the first one
/// (`llava_150k_gen.py`).
pub const LLAVA_CONVERSATION: [&str; 10] = [
    "Generate a question based on the content of the given image and then answer it.",
    "Given the image, generate a question along with the answer.",
    "From the image provided, craft a question and answer it.",
    "Come up with a question related to the content of the image and provide the answer.",
    "Brainstorm a query associated to the image and provide the response.",
    "Construct a question based on the information presented in the image and answer it.",
    "Ask yourself a question about the content of the image and respond to it.",
    "Establish a query related to the content of the image and give the answer.",
    "Ask a question derived from the image and then answer it.",
    "Create a question about the image and answer it.",
];

/// Instructions of LLaVA's detailed descriptions (`LlavaDescDataset`). Data is generated with the first one.
pub const LLAVA_DETAIL: [&str; 10] = [
    "Generate a question to describe the image content in detail and then answer it.",
    "Considering the picture, come up with a question to describe the image content in detail along with the answer.",
    "Describe the image content with a question and give the response.",
    "Come up with a creative question to express the image content and then provide the answer.",
    "Draft a query to address the image content and give the reply.",
    "Create a question to reveal the image content and give the resolution.",
    "Given the photo, state a question that reveals the details of the image and then answer it.",
    "Ask a question about what is depicted in the image and then answer it.",
    "Make up a query to explain the photo in more detail and answer it.",
    "Compose a question describing the subject of the image, followed by the answer.",
];

/// Instructions of LLaVA's complex reasoning (`LlavaCompDataset`). Data is generated with the first one.
pub const LLAVA_REASONING: [&str; 10] = [
    "Based on the given image, generate an in-depth reasoning question and then answer it.",
    "Given the image, generate an in-depth reasoning question and answer.",
    "Taking the image into account, generate an reasoning question along with the answer.",
    "Can you come up with a reasoning question based on the image and then provide the answer?",
    "After looking at the image, devise a reasoning question and provide the answer to it.",
    "Contemplate the image and create a reasoning question with the answer provided.",
    "Analyze the image and provide a reasoning question as well as the answer.",
    "Compose a reasoning question using the image with its answer.",
    "Evaluate the image and create a comprehensive reasoning question and its answer.",
    "Analyze the image and craft an effective reasoning question and its response.",
];

/// Training instructions of OKVQA, A-OKVQA and the pseudo-labeled COCO images (`A_OKVQADataset`, `OKVQADataset`).
pub const KNOWLEDGE_VQA: [&str; 9] = [
    "Based on the content of the given image, generate a question that requires common sense to answer and then briefly answer it.",
    "Explain the content of the image in a question and then provide a short answer using knowledge types such as commonsense and facts.",
    "Generate a query that requires reasoning on the information depicted in the image, utilizing a variety of knowledge types like commonsense, and then offer a concise answer.",
    "Develop a query to demonstrate the knowledge types such as commonsense and facts related to the given image and then provide a brief answer.",
    "Based on knowledge types such as commonsense and facts, come up with a query related to the given image and then briefly answer it.",
    "Come up with a question related to the content shown in the image that requires reasoning using a variety of knowledge types such as commonsense and then succinctly answer it.",
    "Brainstorm a question about the content of the given image that requires reasoning with a variety of knowledge types such as common sense and then state the answer briefly.",
    "Construct a query that requires logic based on the contents of the given image and involves a variety of knowledge types such as commonsense, and then deliver a brief response.",
    "Invent an inquiry derived from the pictured material that calls for the use of different knowledge types like commonsense and subsequently summarize the solution with brevity.",
];

/// The instruction that questions of OKVQA and A-OKVQA are generated with (`vig_eval.py`). It is not one of
/// [`KNOWLEDGE_VQA`], which the checkpoints were trained with.
pub const KNOWLEDGE_VQA_GENERATION: &str = "Based on the content of the given image, generate a question that requires reasoning using a variety of knowledge types such as commonsense and then briefly answer it.";

/// Training instructions of VQAv2 (`VQAv2Dataset`).
pub const VQAV2: [&str; 10] = [
    "Generate a question based on the content of the given image and then briefly answer it.",
    "Given the image, generate a question along with the short answer.",
    "From the image provided, craft a question and briefly answer it.",
    "Come up with a question related to the content of the image and provide the brief answer.",
    "Brainstorm a query associated to the image and provide the brief response.",
    "Construct a question based on the information presented in the image and briefly answer it.",
    "Ask yourself a question about the content of the image and briefly respond to it.",
    "Establish a query related to the content of the image and give the short answer.",
    "Ask a question derived from the image and then briefly answer it.",
    "Create a question about the image and briefly answer it.",
];

/// Instructions of captioning (`cc_sbu.py`, `CaptionDataset`).
pub const CAPTION: [&str; 13] = [
    "A short image caption:",
    "A short image description:",
    "A photo of",
    "An image that shows",
    "Write a short description for the image.",
    "Write a description for the photo.",
    "Provide a description of what is presented in the photo.",
    "Briefly describe the content of the image.",
    "Can you briefly explain what you see in the image?",
    "Could you use a few words to describe what you perceive in the photo?",
    "Please provide a short depiction of the picture.",
    "Using language, provide a short account of the image.",
    "Use a few words to illustrate what is happening in the picture.",
];
